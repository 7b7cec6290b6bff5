import { CHECKSUM_NAMES } from "./checksums.ts";
import { replaceRows } from "./databases.ts";
import { COMMANDS, globalStatus } from "./global-status.ts";
import { serversAtRuntime } from "./layers.ts";
import type { Runtime } from "./runtime.ts";

type Values = readonly (string | number | bigint | Uint8Array | null)[];
type View = (runtime: Runtime) => Iterable<Values>;

function copyOf(table: string): View {
  return (runtime) => (runtime.copies.get(table) ?? []).map((row) => Object.values(row));
}

/** proxysql_servers at run time come out last first: the real server keeps them in a hash table. */
function peers(runtime: Runtime): Values[] {
  return [...copyOf("proxysql_servers")(runtime)].reverse();
}

function connectionPool(runtime: Runtime): Values[] {
  return runtime.hostgroups.list().map((server) => {
    const { row, counters } = server;
    return [
      row.hostgroup,
      row.hostname,
      row.port,
      server.status,
      server.occupants.size,
      server.free.length,
      counters.connOk,
      counters.connErr,
      counters.maxConnUsed,
      counters.queries,
      0,
      counters.bytesSent,
      counters.bytesReceived,
      counters.latencyUs,
    ];
  });
}

function processlist(runtime: Runtime): Values[] {
  return [...runtime.statistics.sessions.values()].map((session) => [
    0,
    session.id,
    session.user,
    session.schema,
    session.clientHost,
    session.clientPort,
    session.hostgroup,
    null,
    null,
    session.serverHost,
    session.serverPort,
    session.command,
    Math.max(0, Date.now() - session.sinceMs),
    session.text,
    0,
    "",
  ]);
}

function digests(runtime: Runtime): Values[] {
  return [...runtime.statistics.digests.values()].map((entry) => [
    entry.hostgroup,
    entry.schema,
    entry.username,
    "",
    entry.digest,
    entry.digestText,
    entry.count,
    entry.firstSeen,
    entry.lastSeen,
    entry.sumTimeUs,
    entry.minTimeUs,
    entry.maxTimeUs,
    entry.rowsAffected,
    entry.rowsSent,
  ]);
}

function errors(runtime: Runtime): Values[] {
  return [...runtime.statistics.errors.values()].map((entry) => [
    entry.hostgroup,
    entry.hostname,
    entry.port,
    entry.username,
    "",
    entry.schema,
    entry.code,
    entry.count,
    entry.firstSeen,
    entry.lastSeen,
    entry.lastError,
  ]);
}

function memoryMetrics(): Values[] {
  const usage = process.memoryUsage();
  return [
    ["SQLite3_memory_bytes", String(usage.external)],
    ["jemalloc_resident", String(usage.rss)],
    ["jemalloc_active", String(usage.heapTotal)],
    ["jemalloc_allocated", String(usage.heapUsed)],
  ];
}

/** No peer is ever asked: the cluster's own synchronisation is not part of this stand-in. */
function peerChecksums(runtime: Runtime): Values[] {
  return peers(runtime).flatMap(([hostname = "", port = 0]) =>
    CHECKSUM_NAMES.map((name) => [hostname, port, name, 0, 0, "", 0, 0, 0]),
  );
}

function peerMetrics(runtime: Runtime): Values[] {
  const sinceBootMs = Math.floor(performance.timeOrigin > 0 ? process.uptime() * 1000 : 0);
  return peers(runtime).map((peer) => [...peer, 0, 0, sinceBootMs, 0, 0, 0]);
}

const COPIED_TABLES = [
  "mysql_galera_hostgroups",
  "mysql_group_replication_hostgroups",
  "mysql_hostgroup_attributes",
  "mysql_query_rules_fast_routing",
  "mysql_replication_hostgroups",
  "mysql_servers_ssl_params",
  "mysql_aws_aurora_hostgroups",
  "mysql_firewall_whitelist_rules",
  "mysql_firewall_whitelist_sqli_fingerprints",
  "mysql_firewall_whitelist_users",
  "restapi_routes",
  "scheduler",
];

/** How each table that shows the running state gets its rows. */
const VIEWS: Readonly<Record<string, View>> = {
  ...Object.fromEntries(COPIED_TABLES.map((table) => [`main.runtime_${table}`, copyOf(table)])),
  "main.runtime_checksums_values": (runtime) => runtime.checksums.rows(),
  "main.runtime_global_variables": (runtime) => [
    ...runtime.variables.entries("admin"),
    ...runtime.variables.entries("mysql"),
  ],
  "main.runtime_mysql_query_rules": (runtime) => runtime.rules.rows().map((row) => Object.values(row)),
  "main.runtime_mysql_servers": serversAtRuntime,
  "main.runtime_mysql_users": (runtime) => runtime.users.rows(),
  "main.runtime_proxysql_servers": peers,
  "stats.stats_memory_metrics": memoryMetrics,
  "stats.stats_mysql_commands_counters": () => COMMANDS.map((name) => [name, ...Array<number>(14).fill(0)]),
  "stats.stats_mysql_connection_pool": connectionPool,
  "stats.stats_mysql_connection_pool_reset": connectionPool,
  "stats.stats_mysql_errors": errors,
  "stats.stats_mysql_errors_reset": (runtime) => {
    const rows = errors(runtime);
    runtime.statistics.errors.clear();
    return rows;
  },
  "stats.stats_mysql_global": globalStatus,
  "stats.stats_mysql_processlist": processlist,
  "stats.stats_mysql_query_digest": digests,
  "stats.stats_mysql_query_digest_reset": (runtime) => {
    const rows = digests(runtime);
    runtime.statistics.digests.clear();
    return rows;
  },
  "stats.stats_mysql_query_rules": (runtime) => runtime.rules.hits(),
  "stats.stats_mysql_users": (runtime) =>
    runtime.users
      .frontends()
      .map((user) => [user.username, runtime.statistics.userConnections.get(user.username) ?? 0, user.maxConnections]),
  "stats.stats_proxysql_servers_checksums": peerChecksums,
  "stats.stats_proxysql_servers_metrics": peerMetrics,
};

/**
 * Fills the tables of running state that a statement names, before the statement runs.
 *
 * That is how the real server does it, and why UPDATE and DELETE on such a table succeed and change nothing.
 */
export function refreshViews(runtime: Runtime, sql: string): void {
  const named = new Set(sql.toLowerCase().match(/\b(?:runtime|stats)_\w+/g) ?? []);
  for (const [table, view] of Object.entries(VIEWS)) {
    const name = table.slice(table.indexOf(".") + 1);
    if (named.has(name)) replaceRows(runtime.databases.internal, table, view(runtime));
  }
}
