import { definePlaybook } from "@keybuzz/runner";
import * as z from "zod";
import { credentialStore } from "../roles/credentials/role.ts";
import { GaleraHost } from "../roles/galera/params.ts";
import { recoverGalera } from "../roles/galera/recover/role.ts";

const names = z
  .string()
  .default("")
  .transform((text) => text.split(",").filter((name) => name !== ""));

/** For the night when the cluster does not serve, and `galera.ts` refuses to start it. */
export default definePlaybook({
  name: "recover",
  summary: "Brings back a cluster that does not serve, from the node that has the most; refuses what would lose data",
  groups: { mariadb: GaleraHost },
  params: z.strictObject({
    fenced: names.describe("Hosts that are switched off for certain, joined by commas"),
    accept_loss: names.describe("What is given up, as a refusal named it: maria-03:1234"),
    restore_view: z
      .enum(["yes", "no"])
      .default("yes")
      .describe("no: compare places even where the nodes could restore their last view by themselves"),
    hold_seconds: z.coerce
      .number()
      .int()
      .min(1)
      .max(3600)
      .default(60)
      .describe("Seconds that the cluster has to stay as it is before it counts as recovered"),
  }),
  async run({ mariadb }, play) {
    const { fenced, accept_loss, restore_view, hold_seconds } = play.params;
    play.phase("credentials");
    const credentials = await credentialStore(play.controller, { directory: play.directory });
    play.phase("recover");
    await recoverGalera(mariadb, {
      credentials,
      fenced,
      acceptLoss: accept_loss,
      restoreView: restore_view === "yes",
      holdSeconds: hold_seconds,
      pending: () => play.pending,
    });
  },
});
