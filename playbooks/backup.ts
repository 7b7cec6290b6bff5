import { definePlaybook, recipientsOf } from "@keybuzz/runner";
import * as z from "zod";
import { BackupHost, backups, recentBackup, StoreHost } from "../roles/backup/role.ts";
import { credentialKey, credentialStore } from "../roles/credentials/role.ts";

/** Full backups and binary logs of the cluster, on a schedule; and one now, where the newest is too old. */
export default definePlaybook({
  name: "backup",
  summary: "Encrypted backups of the cluster on a schedule, and one now where the newest is too old",
  groups: { mariadb: BackupHost },
  optionalGroups: { backup: StoreHost },
  params: z.strictObject({
    max_age_hours: z.coerce
      .number()
      .min(0)
      .default(24)
      .describe("Oldest that the newest backup may be, in hours; 0 takes one now."),
  }),
  async run({ mariadb, backup }, play) {
    const { clusterName } = await credentialStore(play.controller, { directory: play.directory });
    const recipients = await recipientsOf(await credentialKey(play.directory));
    play.phase("schedule");
    await backups(mariadb, backup, { clusterName, recipients });
    play.phase("backup");
    await recentBackup(mariadb, { maxAgeHours: play.params.max_age_hours });
  },
});
