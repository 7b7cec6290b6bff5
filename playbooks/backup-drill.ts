import { definePlaybook } from "@keybuzz/runner";
import * as z from "zod";
import { BackupHost, drill } from "../roles/backup/role.ts";
import { credentialKey } from "../roles/credentials/role.ts";

/** A backup is worth what a restore of it has proved. */
export default definePlaybook({
  name: "backup-drill",
  summary: "Restores a backup into a scratch server, and compares every table with what it was",
  groups: { mariadb: BackupHost },
  params: z.strictObject({
    backup: z.string().default("newest").describe("Name of the backup."),
    on: z.string().optional().describe("Node to restore on; the last one unless given."),
  }),
  async run({ mariadb }, { params, directory, phase }) {
    const identity = (await credentialKey(directory)).content;
    phase("drill");
    const last = mariadb.declared.at(-1)?.name ?? "";
    await drill(mariadb.only(params.on ?? last), { backup: params.backup, identity });
  },
});
