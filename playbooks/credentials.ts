import { definePlaybook } from "@keybuzz/runner";
import * as z from "zod";
import { credentialFiles, credentialStore } from "../roles/credentials/role.ts";
import { GaleraHost } from "../roles/galera/params.ts";

/** Not ProxySQL's admin password: the new one could not log in to put itself in place. */
const ROTATED = ["root", "app", "monitor", "health", "verify", "sst"] as const;

const rotate = z
  .string()
  .default("")
  .transform((names) => names.split(",").filter((name) => name !== ""))
  .pipe(z.array(z.enum(ROTATED)))
  .describe(`Passwords to make anew, joined by commas: ${ROTATED.join(", ")}; none unless given`);

/** Step 00: the passwords, taken over or made once, sealed on the controller, and `mariadb.env` on the nodes. */
export default definePlaybook({
  name: "credentials",
  summary: "Takes over or makes the credentials once, seals them, and writes mariadb.env to the nodes",
  groups: { mariadb: GaleraHost },
  params: z.strictObject({ rotate }),
  async run({ mariadb }, play) {
    const credentials = await credentialStore(play.controller, {
      directory: play.directory,
      rotate: play.params.rotate,
    });
    await credentialFiles(mariadb, { credentials });
    if (play.params.rotate.length > 0) {
      play.note(
        `${play.params.rotate.join(", ")}: made anew in the store; kb play galera.ts brings servers and proxies in line`,
        "warn",
      );
    }
  },
});
