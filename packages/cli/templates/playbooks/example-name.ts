import { directory, file } from "@keybuzz/modules";
import { definePlaybook } from "@keybuzz/runner";
import * as z from "zod";

/** What each host of the group has to declare in the inventory. */
const WebHost = z.object({ port: z.int().min(1).max(65535) });

export default definePlaybook({
  name: "example_name",
  summary: "Writes down which port each host serves on",
  groups: { web: WebHost },
  async run({ web }, play) {
    play.phase("files");
    await web.ensure((host) => [
      directory({ path: "/etc/example-name", mode: "0755" }),
      file({ path: "/etc/example-name/port", content: `${host.vars.port}\n`, mode: "0644" }),
    ]);
  },
});
