import type { Secret } from "@keybuzz/runner";
import * as z from "zod";

/** Values as the admin port gives them: text or NULL. A password is a secret. */
export type Row = { readonly [column: string]: string | null | Secret };

/** A table of the admin schema, in memory, at run time (`runtime_NAME`) and on disk (`disk.NAME`). */
export interface Table {
  readonly name: string;
  /** Columns that tell rows apart. */
  readonly keys: readonly [string, ...string[]];
  /** All columns, with what the server puts in one that is not given. */
  readonly columns: Row;
  /** Columns whose values are hidden. */
  readonly secrets?: readonly string[];
  /** How a row is called in states and diffs. */
  label(row: Row): string;
  /** What a row is about, where several rows can be about one thing; its label unless given. */
  subject?(row: Row): string;
}

const count = z.int().min(0);

/** Rows of mysql_servers. @see https://proxysql.com/documentation/main-runtime/#mysql_servers */
export const serverRow = z.strictObject({
  hostgroup_id: count.describe("hostgroup; with Galera hostgroups always the writers'"),
  hostname: z.string().min(1).describe("name or address"),
  port: z.int().min(0).max(65535).default(3306).describe("port"),
  gtid_port: z.int().min(0).max(65535).default(0).describe("port of the binlog reader"),
  status: z.enum(["ONLINE", "OFFLINE_SOFT", "OFFLINE_HARD"]).default("ONLINE").describe("OFFLINE_SOFT drains it"),
  weight: z.int().min(0).max(10_000_000).default(1).describe("share of the traffic; the heaviest is the Galera writer"),
  compression: z.boolean().default(false).describe("compressed protocol"),
  max_connections: count.default(1000).describe("connections at most"),
  max_replication_lag: count.max(126_144_000).default(0).describe("seconds behind, from which it is shunned; 0: never"),
  use_ssl: z.boolean().default(false).describe("TLS to the server"),
  max_latency_ms: count.default(0).describe("ping time in milliseconds, from which it is left out; 0: never"),
  comment: z.string().default("").describe("free text"),
});

/** Rows of mysql_galera_hostgroups. @see https://proxysql.com/documentation/main-runtime/#mysql_galera_hostgroups */
export const galeraHostgroupRow = z.strictObject({
  writer_hostgroup: count.describe("hostgroup of the writers"),
  backup_writer_hostgroup: count.describe("hostgroup of writers beyond max_writers"),
  reader_hostgroup: z.int().min(1).describe("hostgroup of the readers"),
  offline_hostgroup: count.describe("hostgroup of nodes that are out"),
  active: z.boolean().default(true).describe("whether nodes are checked and moved"),
  max_writers: count.default(1).describe("writers at a time"),
  writer_is_also_reader: z
    .union([z.literal(0), z.literal(1), z.literal(2)])
    .default(0)
    .describe("2: backup writers read"),
  max_transactions_behind: count.default(0).describe("receive queue, from which a node is out; 0: never"),
  comment: z.string().nullable().default(null).describe("free text"),
});

/** Rows of mysql_replication_hostgroups. @see https://proxysql.com/documentation/main-runtime/#mysql_replication_hostgroups */
export const replicationHostgroupRow = z.strictObject({
  writer_hostgroup: count.describe("hostgroup of servers with read_only off"),
  reader_hostgroup: count.describe("hostgroup of servers with read_only on"),
  check_type: z
    .enum(["read_only", "innodb_read_only", "read_only|innodb_read_only", "read_only&innodb_read_only"])
    .default("read_only")
    .describe("variable that tells; MariaDB has no super_read_only"),
  comment: z.string().default("").describe("free text"),
});

const optionalText = z.string().nullable().default(null);
const optionalCount = count.nullable().default(null);
const optionalSwitch = z.boolean().nullable().default(null);

/** Rows of mysql_query_rules. @see https://proxysql.com/documentation/main-runtime/#mysql_query_rules */
export const queryRuleRow = z.strictObject({
  rule_id: z.int().min(1).describe("number; rules are tried in this order"),
  active: z.boolean().default(true).describe("whether the rule is tried"),
  username: optionalText.describe("user that it is for"),
  schemaname: optionalText.describe("default schema that it is for"),
  flagIN: count.default(0).describe("chain that it belongs to"),
  client_addr: optionalText.describe("client address that it is for"),
  proxy_addr: optionalText.describe("address of the proxy that it is for"),
  proxy_port: optionalCount.describe("port of the proxy that it is for"),
  digest: optionalText.describe("query digest that it is for"),
  match_digest: optionalText.describe("regular expression on the query without its values"),
  match_pattern: optionalText.describe("regular expression on the query"),
  negate_match_pattern: z.boolean().default(false).describe("match what does not match"),
  re_modifiers: z.string().toUpperCase().nullable().default("CASELESS").describe("CASELESS, GLOBAL, joined by a comma"),
  flagOUT: optionalCount.describe("chain to go on with"),
  replace_pattern: optionalText.describe("replacement for match_pattern"),
  destination_hostgroup: optionalCount.describe("hostgroup to send the query to"),
  cache_ttl: z.int().min(1).nullable().default(null).describe("milliseconds to keep the answer"),
  cache_empty_result: optionalSwitch.describe("also keep answers without rows"),
  cache_timeout: optionalCount.describe("milliseconds to wait for the same query under way"),
  reconnect: optionalSwitch.describe("not used by ProxySQL"),
  timeout: optionalCount.describe("longest run in milliseconds"),
  retries: count.max(1000).nullable().default(null).describe("runs again after a failure"),
  delay: optionalCount.describe("milliseconds to hold the query back"),
  next_query_flagIN: optionalCount.describe("chain for the next query of the session"),
  mirror_flagOUT: optionalCount.describe("chain for the mirrored query"),
  mirror_hostgroup: optionalCount.describe("hostgroup to mirror to"),
  error_msg: optionalText.describe("refuse the query with this message"),
  OK_msg: optionalText.describe("answer OK with this message"),
  sticky_conn: optionalSwitch.describe("not used by ProxySQL"),
  multiplex: z
    .union([z.literal(0), z.literal(1), z.literal(2)])
    .nullable()
    .default(null)
    .describe("0 off, 1 on, 2 as is"),
  gtid_from_hostgroup: optionalCount.describe("hostgroup whose GTID a reader must have"),
  log: optionalSwitch.describe("log the query"),
  apply: z.boolean().default(false).describe("try no further rule"),
  attributes: z.string().default("").describe("JSON"),
  comment: optionalText.describe("free text"),
});

type RowInput = { readonly [column: string]: string | number | boolean | null | Secret | undefined };

/** A row of params as the admin port would give it. */
export function toRow(input: RowInput): Row {
  return Object.fromEntries(
    Object.entries(input)
      .filter(([, value]) => value !== undefined)
      .map(([column, value]) => [column, toText(value)]),
  );
}

function toText(value: RowInput[string]): string | null | Secret {
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "number" ? String(value) : (value ?? null);
}

/** All columns with their defaults, from a row that gives only what must be given; that is left empty. */
function columnsOf(row: RowInput, given: readonly string[]): Row {
  return { ...toRow(row), ...Object.fromEntries(given.map((column) => [column, ""])) };
}

/** Columns of mysql_galera_hostgroups that hold a hostgroup; mysql_replication_hostgroups has two of them. */
export const GALERA_GROUPS = ["writer_hostgroup", "backup_writer_hostgroup", "reader_hostgroup", "offline_hostgroup"];

export const SERVERS: Table = {
  name: "mysql_servers",
  keys: ["hostgroup_id", "hostname", "port"],
  columns: columnsOf(serverRow.parse({ hostgroup_id: 0, hostname: "h" }), ["hostgroup_id", "hostname"]),
  label: ({ hostgroup_id, hostname, port }) => `${hostgroup_id}/${hostname}:${port}`,
};

export const GALERA_HOSTGROUPS: Table = {
  name: "mysql_galera_hostgroups",
  keys: ["writer_hostgroup"],
  columns: columnsOf(
    galeraHostgroupRow.parse({
      writer_hostgroup: 0,
      backup_writer_hostgroup: 1,
      reader_hostgroup: 2,
      offline_hostgroup: 3,
    }),
    GALERA_GROUPS,
  ),
  label: ({ writer_hostgroup }) => `${writer_hostgroup}`,
};

export const REPLICATION_HOSTGROUPS: Table = {
  name: "mysql_replication_hostgroups",
  keys: ["writer_hostgroup"],
  columns: columnsOf(replicationHostgroupRow.parse({ writer_hostgroup: 0, reader_hostgroup: 1 }), [
    "writer_hostgroup",
    "reader_hostgroup",
  ]),
  label: ({ writer_hostgroup }) => `${writer_hostgroup}`,
};

export const QUERY_RULES: Table = {
  name: "mysql_query_rules",
  keys: ["rule_id"],
  columns: { ...columnsOf(queryRuleRow.parse({ rule_id: 1 }), ["rule_id"]), active: "0" },
  label: ({ rule_id }) => `${rule_id}`,
};

/** One row a user as declared; two at run time, and two wherever run time was saved over memory. */
export const USERS: Table = {
  name: "mysql_users",
  keys: ["username", "backend"],
  columns: {
    username: "",
    password: null,
    active: "1",
    use_ssl: "0",
    default_hostgroup: "0",
    default_schema: null,
    schema_locked: "0",
    transaction_persistent: "1",
    fast_forward: "0",
    backend: "1",
    frontend: "1",
    max_connections: "10000",
    attributes: "",
    comment: "",
  },
  secrets: ["password"],
  label({ username, backend, frontend }) {
    if (backend === "1" && frontend === "1") return `${username}`;
    return `${username} (${frontend === "1" ? "frontend" : backend === "1" ? "backend" : "neither"})`;
  },
  subject: ({ username }) => `${username}`,
};
