import { directory, template } from "@keybuzz/modules";
import { defineRole } from "@keybuzz/runner";
import * as z from "zod";
import { listenAddress } from "./listen-address.ts";

const FOLDER = "/etc/example-name";

/** What each host of the group has to declare in the inventory. */
export const ExampleNameHost = z.object({ port: z.int().min(1).max(65535).default(8080) });

/** Its settings, in one file. */
export const exampleName = defineRole({
  name: "example_name",
  summary: "Keeps the settings of example-name",
  params: z.strictObject({ title: z.string().min(1).describe("What it calls itself") }),
  host: ExampleNameHost,
  async run({ hosts, params }) {
    await hosts.ensure((host) => [
      directory({ path: FOLDER, mode: "0755", owner: "root", group: "root" }),
      template({
        src: new URL("templates/settings.conf.ejs", import.meta.url),
        dest: `${FOLDER}/settings.conf`,
        vars: { title: params.title, listen: listenAddress(host.address, host.vars.port) },
        mode: "0644",
        owner: "root",
        group: "root",
      }),
    ]);
  },
});
