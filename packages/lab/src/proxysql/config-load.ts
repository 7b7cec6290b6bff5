import type { DatabaseSync } from "node:sqlite";
import type { ConfigFile, ConfigGroup, ConfigValue } from "./config-file.ts";
import { select } from "./databases.ts";
import type { Family } from "./statements.ts";
import { DEFAULTS } from "./variables.ts";

interface Section {
  /** Name of the list in the file. */
  readonly name: string;
  readonly table: string;
}

/** Which lists of the file fill which tables. */
const SECTIONS: Readonly<Partial<Record<Family, readonly Section[]>>> = {
  "MYSQL SERVERS": [
    "mysql_servers",
    "mysql_replication_hostgroups",
    "mysql_group_replication_hostgroups",
    "mysql_galera_hostgroups",
    "mysql_aws_aurora_hostgroups",
    "mysql_hostgroup_attributes",
    "mysql_servers_ssl_params",
  ].map((table) => ({ name: table, table })),
  "MYSQL USERS": [{ name: "mysql_users", table: "mysql_users" }],
  "MYSQL QUERY RULES": [
    { name: "mysql_query_rules", table: "mysql_query_rules" },
    { name: "mysql_query_rules_fast_routing", table: "mysql_query_rules_fast_routing" },
  ],
  "PROXYSQL SERVERS": [{ name: "proxysql_servers", table: "proxysql_servers" }],
  SCHEDULER: [{ name: "scheduler", table: "scheduler" }],
  RESTAPI: [{ name: "restapi", table: "restapi_routes" }],
};

/** Words of the file that name a column differently. */
const ALIASES: Readonly<Record<string, string>> = {
  address: "hostname",
  hostgroup: "hostgroup_id",
};

function isGroup(value: ConfigValue | undefined): value is ConfigGroup {
  return typeof value === "object" && !Array.isArray(value);
}

function storable(value: ConfigValue): string | number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "string" || typeof value === "number" ? value : null;
}

function insertGroup(database: DatabaseSync, table: string, group: ConfigGroup): void {
  const columns = new Set(
    select(database, "SELECT name FROM pragma_table_info(?)", table).map((row) => String(row["name"])),
  );
  const cells = Object.entries(group)
    .map(([name, value]) => [columns.has(name) ? name : (ALIASES[name] ?? name), storable(value)] as const)
    .filter(([name]) => columns.has(name));
  const names = cells.map(([name]) => name).join(",");
  const holes = cells.map(() => "?").join(",");
  database
    .prepare(`INSERT OR REPLACE INTO main.${table} (${names}) VALUES (${holes})`)
    .run(...cells.map(([, value]) => value));
}

function setVariables(database: DatabaseSync, config: ConfigFile, module: "mysql" | "admin"): number {
  const group = config[`${module}_variables`];
  if (!isGroup(group)) return 0;
  const known = Object.entries(group).filter(([name]) => DEFAULTS.has(`${module}-${name}`));
  const insert = database.prepare("INSERT OR REPLACE INTO main.global_variables VALUES (?, ?)");
  for (const [name, value] of known) insert.run(`${module}-${name}`, String(value));
  return known.length;
}

/**
 * Merges a family of the configuration file into the memory layer; sections that the file lacks change nothing.
 *
 * @returns how many variables or rows were set.
 */
export function configToMemory(database: DatabaseSync, config: ConfigFile, family: Family): number {
  if (family === "MYSQL VARIABLES") return setVariables(database, config, "mysql");
  if (family === "ADMIN VARIABLES") return setVariables(database, config, "admin");
  let rows = 0;
  for (const { name, table } of SECTIONS[family] ?? []) {
    const list = config[name];
    for (const group of Array.isArray(list) ? list.filter(isGroup) : []) {
      insertGroup(database, table, group);
      rows += 1;
    }
  }
  return rows;
}
