import type { Checksums } from "./checksums.ts";
import type { Databases, Row } from "./databases.ts";
import type { Hostgroups, ServerRow, ServerStatus } from "./hostgroups.ts";
import type { Log } from "./log.ts";
import type { QueryRules } from "./query-rules.ts";
import type { Statistics } from "./statistics.ts";
import type { Users } from "./users.ts";
import type { Variables } from "./variables.ts";

/** All that one running server consists of, but for its sockets. */
export interface Runtime {
  readonly datadir: string;
  readonly configPath: string;
  readonly databases: Databases;
  readonly variables: Variables;
  readonly hostgroups: Hostgroups;
  readonly users: Users;
  readonly rules: QueryRules;
  readonly checksums: Checksums;
  readonly statistics: Statistics;
  /** Rows at run time of the tables that are taken over as they are, by table name. */
  readonly copies: Map<string, readonly Row[]>;
  /** Rows of mysql_servers as they were last loaded: where the Galera monitor starts from. */
  configuredServers: readonly ServerRow[];
  readonly log: Log;
}

/** Reads a row of mysql_servers. A SHUNNED server is loaded as ONLINE. */
export function serverRowOf(row: Row): ServerRow {
  const number = (column: string): number => Number(row[column]);
  const status = String(row["status"]).toUpperCase() as ServerStatus;
  return {
    hostgroup: number("hostgroup_id"),
    hostname: String(row["hostname"]),
    port: number("port"),
    gtidPort: number("gtid_port"),
    status: status === "SHUNNED" ? "ONLINE" : status,
    weight: number("weight"),
    compression: number("compression"),
    maxConnections: number("max_connections"),
    maxReplicationLag: number("max_replication_lag"),
    useSsl: number("use_ssl"),
    maxLatencyMs: number("max_latency_ms"),
    comment: String(row["comment"]),
  };
}

/** Values of a server's row in the column order of mysql_servers. */
export function serverValues(row: ServerRow, status: ServerStatus): (string | number)[] {
  return [
    row.hostgroup,
    row.hostname,
    row.port,
    row.gtidPort,
    status,
    row.weight,
    row.compression,
    row.maxConnections,
    row.maxReplicationLag,
    row.useSsl,
    row.maxLatencyMs,
    row.comment,
  ];
}
