import { defineModule } from "@keybuzz/runner";
import * as z from "zod";
import { proxysqlLogin } from "../probes/sql-login.ts";
import { adminPort, familyPlan, familyProbe, unmanagedParam } from "./family.ts";
import { type Content, desiredLayers, type Family, type Layers, type Rows, showRuntime } from "./layers.ts";
import {
  GALERA_GROUPS,
  GALERA_HOSTGROUPS,
  galeraHostgroupRow,
  REPLICATION_HOSTGROUPS,
  type Row,
  replicationHostgroupRow,
  SERVERS,
  serverRow,
  toRow,
} from "./tables.ts";

const params = z.strictObject({
  login: proxysqlLogin,
  servers: z.array(serverRow).describe("backends"),
  galera_hostgroups: z
    .array(galeraHostgroupRow)
    .optional()
    .describe("hostgroups that ProxySQL moves Galera nodes among; the table is left as found unless given"),
  replication_hostgroups: z
    .array(replicationHostgroupRow)
    .optional()
    .describe("hostgroups that ProxySQL moves servers among by read_only; the table is left as found unless given"),
  unmanaged: unmanagedParam,
});

/** mysql_servers and the hostgroup tables, which travel with it. */
const FAMILY: Family = {
  words: "MYSQL SERVERS",
  tables: [SERVERS, GALERA_HOSTGROUPS, REPLICATION_HOSTGROUPS],
  expectedRuntime: (memory) => project(memory, memory),
  foundRuntime: project,
};

/**
 * Backends and their hostgroups, in memory, at run time and on disk.
 *
 * Where ProxySQL moves servers among hostgroups itself, run time is compared without the hostgroup and the status that it
 * chose: a fail-over is no drift. Loading makes all nodes of the writers' hostgroup writers until the next check.
 * @see https://proxysql.com/documentation/main-runtime/
 */
export const proxysqlServers = defineModule({
  name: "proxysql_servers",
  summary: "ProxySQL's backends, Galera and replication hostgroups, in memory, at run time and on disk",
  params,
  id: ({ login }) => adminPort(login),
  probe: ({ login }) => familyProbe(login, FAMILY),
  desired({ servers, galera_hostgroups, replication_hostgroups, unmanaged }, current): Layers {
    const wanted = new Map([
      [SERVERS, servers.map(toRow)],
      ...(galera_hostgroups === undefined ? [] : [[GALERA_HOSTGROUPS, galera_hostgroups.map(toRow)] as const]),
      ...(replication_hostgroups === undefined
        ? []
        : [[REPLICATION_HOSTGROUPS, replication_hostgroups.map(toRow)] as const]),
    ]);
    return desiredLayers(FAMILY, wanted, current, unmanaged);
  },
  plan: ({ params: { login }, current, wanted }) => familyPlan(login, FAMILY, current, wanted),
});

/** Lists of hostgroups that ProxySQL moves servers among. */
function movingHostgroups(memory: Content): readonly (readonly string[])[] {
  const galera = (memory.get(GALERA_HOSTGROUPS) ?? []).filter(({ active }) => active === "1");
  const replication = memory.get(REPLICATION_HOSTGROUPS) ?? [];
  const groups = [...galera, ...replication].map((row) => GALERA_GROUPS.flatMap((name) => row[name] ?? []));
  return groups.map((group) => group.map(String));
}

/** The run time that follows from rows, of memory or of run time itself. */
function project(rows: Content, memory: Content): Layers["runtime"] {
  const moving = movingHostgroups(memory);
  // A row that is OFFLINE_HARD is not loaded, and a server shows as such while it is being moved.
  const servers = (rows.get(SERVERS) ?? []).filter(({ status }) => status !== "OFFLINE_HARD").map(normalizeStatus);
  const familyOf = (row: Row): readonly string[] | undefined =>
    moving.find((group) => group.includes(String(row["hostgroup_id"])));
  const fixed = servers.filter((row) => familyOf(row) === undefined);
  const moved = servers.filter((row) => familyOf(row) !== undefined);
  return {
    [SERVERS.name]: { ...showRuntime(SERVERS, fixed), ...showMoved(moved, familyOf) },
    [GALERA_HOSTGROUPS.name]: showRuntime(GALERA_HOSTGROUPS, rows.get(GALERA_HOSTGROUPS) ?? []),
    [REPLICATION_HOSTGROUPS.name]: showRuntime(REPLICATION_HOSTGROUPS, rows.get(REPLICATION_HOSTGROUPS) ?? []),
  };
}

/** SHUNNED is what ProxySQL makes of a server that fails, and of a surplus Galera writer. */
function normalizeStatus(row: Row): Row {
  const status = String(row["status"]).toUpperCase();
  return { ...row, status: status === "SHUNNED" ? "ONLINE" : status };
}

const KEPT_WHEN_MOVED = ["weight", "max_connections", "use_ssl"];

/** Moved servers can have several rows, one for each hostgroup that they are in. */
function showMoved(rows: readonly Row[], familyOf: (row: Row) => readonly string[] | undefined): Rows {
  const byServer = Map.groupBy(rows, (row) => `${row["hostname"]}:${row["port"]} in ${familyOf(row)?.join(",")}`);
  const distinct = (group: readonly Row[], column: string): string =>
    [...new Set(group.map((row) => String(row[column])))].sort().join("/");
  return Object.fromEntries(
    [...byServer].map(([label, group]) => [
      label,
      Object.fromEntries(KEPT_WHEN_MOVED.map((column) => [column, distinct(group, column)])),
    ]),
  );
}
