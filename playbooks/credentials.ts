import { definePlaybook } from "@keybuzz/runner";
import * as z from "zod";
import { credentialFiles, credentialStore } from "../roles/credentials/role.ts";
import { GaleraHost } from "../roles/galera/params.ts";

/** Step 00: the passwords, taken over or made once, sealed on the controller, and `mariadb.env` on the nodes. */
export default definePlaybook({
  name: "credentials",
  summary: "Takes over or makes the credentials once, seals them, and writes mariadb.env to the nodes",
  groups: { mariadb: GaleraHost },
  params: z.strictObject({}),
  async run({ mariadb }, play) {
    const credentials = await credentialStore(play.controller, { directory: play.directory });
    await credentialFiles(mariadb, { credentials });
  },
});
