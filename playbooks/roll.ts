import { definePlaybook } from "@keybuzz/runner";
import * as z from "zod";
import { credentialStore } from "../roles/credentials/role.ts";
import { GaleraHost } from "../roles/galera/params.ts";
import { rollGalera } from "../roles/galera/roll/role.ts";
import { ProxyHost } from "./stages/hosts.ts";

const seconds = (what: string, standard: number) =>
  z.coerce.number().int().min(1).max(86_400).default(standard).describe(`Seconds ${what}`);

/** A restart, a change or an upgrade of a live cluster, one node after the other, with the proxies in step. */
export default definePlaybook({
  name: "roll",
  summary: "Restarts, changes or upgrades the nodes of a live cluster, one after the other, the writer last",
  groups: { mariadb: GaleraHost },
  optionalGroups: { proxysql: ProxyHost },
  params: z.strictObject({
    action: z
      .enum(["restart", "config", "upgrade"])
      .describe(
        "restart: all nodes; config: those whose options changed; upgrade: those whose image or packages are old",
      ),
    away_seconds: seconds("that a node is expected to be away; that much has to fit into the gcache", 120),
    drain_seconds: seconds("to wait for a node's clients to leave it, at most", 30),
  }),
  async run({ mariadb, proxysql }, play) {
    const { action, away_seconds, drain_seconds } = play.params;
    play.phase("credentials");
    const credentials = await credentialStore(play.controller, { directory: play.directory });
    play.phase("roll");
    await rollGalera({
      nodes: mariadb,
      proxies: proxysql,
      credentials,
      action,
      awaySeconds: away_seconds,
      drainSeconds: drain_seconds,
    });
  },
});
