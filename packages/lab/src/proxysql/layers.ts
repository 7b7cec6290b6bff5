import { type Hashed, hashRows, hashTables, hashUsers } from "./checksums.ts";
import type { ConfigFile } from "./config-file.ts";
import { configToMemory } from "./config-load.ts";
import { insertRows, type Row, replaceRows, select, transaction } from "./databases.ts";
import { type Runtime, serverRowOf, serverValues } from "./runtime.ts";
import { FAMILIES, type Family, type Move } from "./statements.ts";
import { isChangeable, isSettableAtStart, isValid, moduleOf, type VariableModule } from "./variables.ts";

/** Tables that travel with each family. */
export const TABLES: Readonly<Record<Family, readonly string[]>> = {
  "MYSQL SERVERS": [
    "mysql_servers",
    "mysql_replication_hostgroups",
    "mysql_group_replication_hostgroups",
    "mysql_galera_hostgroups",
    "mysql_aws_aurora_hostgroups",
    "mysql_hostgroup_attributes",
    "mysql_servers_ssl_params",
  ],
  "MYSQL USERS": ["mysql_users"],
  "MYSQL QUERY RULES": ["mysql_query_rules", "mysql_query_rules_fast_routing"],
  "MYSQL VARIABLES": [],
  "ADMIN VARIABLES": [],
  "PROXYSQL SERVERS": ["proxysql_servers"],
  SCHEDULER: ["scheduler"],
  "MYSQL FIREWALL": [
    "mysql_firewall_whitelist_users",
    "mysql_firewall_whitelist_rules",
    "mysql_firewall_whitelist_sqli_fingerprints",
  ],
  RESTAPI: ["restapi_routes"],
};

/** Tables whose rows at run time are more than a copy of those in memory. */
const DERIVED = new Set(["mysql_servers", "mysql_users", "mysql_query_rules"]);

/** Which module's variables a family is; null for the families made of tables. */
export function variablesOf(family: Family): VariableModule | null {
  if (family === "MYSQL VARIABLES") return "mysql";
  return family === "ADMIN VARIABLES" ? "admin" : null;
}

function valuesOf(rows: readonly Row[]): Hashed[][] {
  return rows.map((row) => Object.values(row));
}

function recordChecksum(runtime: Runtime, family: Family, isStart: boolean): void {
  const record = isStart
    ? runtime.checksums.start.bind(runtime.checksums)
    : runtime.checksums.bump.bind(runtime.checksums);
  const copyOf = (table: string): Hashed[][] => valuesOf(runtime.copies.get(table) ?? []);
  const module = variablesOf(family);
  if (module !== null) record(`${module}_variables`, hashRows(hashedVariables(runtime, module)));
  if (family === "MYSQL SERVERS") {
    const configured = runtime.configuredServers.map((row) => serverValues(row, row.status));
    const others = TABLES[family].filter((table) => !DERIVED.has(table)).map(copyOf);
    record("mysql_servers", hashRows(hashedServers(runtime)));
    record("mysql_servers_v2", hashTables([...others, configured]));
  }
  if (family === "MYSQL USERS") record("mysql_users", hashUsers(runtime.users.frontends(), runtime.users.backends()));
  if (family === "MYSQL QUERY RULES") record("mysql_query_rules", hashRows(hashedRules(runtime)));
  if (family === "PROXYSQL SERVERS") record("proxysql_servers", hashRows(copyOf("proxysql_servers")));
}

/** Variables that may differ between the peers of a cluster have no part in the checksum. */
const UNHASHED_VARIABLES = new Set([
  "admin-mysql_ifaces",
  "admin-restapi_port",
  "admin-telnet_admin_ifaces",
  "admin-telnet_stats_ifaces",
  "admin-web_port",
  "mysql-interfaces",
  "mysql-threads",
]);

function hashedVariables(runtime: Runtime, module: VariableModule): Hashed[][] {
  return runtime.variables.entries(module).filter(([name]) => !UNHASHED_VARIABLES.has(name));
}

/** A shunned server counts as ONLINE. */
function hashedServers(runtime: Runtime): Hashed[][] {
  return runtime.hostgroups
    .list()
    .map((server) => serverValues(server.row, server.status === "SHUNNED" ? "ONLINE" : server.status));
}

function hashedRules(runtime: Runtime): Hashed[][] {
  const rules = runtime.rules.rows().map(({ active: _active, ...others }) => Object.values(others));
  return [...rules, ...valuesOf(runtime.copies.get("mysql_query_rules_fast_routing") ?? [])];
}

/** Records that the monitor has placed servers anew: what is at run time has changed, what was loaded has not. */
export function recordPlacement(runtime: Runtime): void {
  runtime.checksums.bump("mysql_servers", hashRows(hashedServers(runtime)));
}

/** Rows of runtime_mysql_servers. */
export function serversAtRuntime(runtime: Runtime): (string | number)[][] {
  return runtime.hostgroups.list().map((server) => serverValues(server.row, server.status));
}

function loadServers(runtime: Runtime): void {
  const rows = select(runtime.databases.internal, "SELECT * FROM main.mysql_servers").map(serverRowOf);
  runtime.configuredServers = rows.filter((row) => row.status !== "OFFLINE_HARD");
  runtime.hostgroups.replace(runtime.configuredServers);
  runtime.hostgroups.emit("loaded");
}

function loadUsers(runtime: Runtime): void {
  const { internal } = runtime.databases;
  internal.exec("UPDATE main.mysql_users SET active = 0 WHERE default_hostgroup < 0");
  runtime.users.load(select(internal, "SELECT * FROM main.mysql_users WHERE active = 1"));
}

/** Takes over valid values, puts the running ones back over the others, and drops rows with unknown names. */
function loadVariables(runtime: Runtime, module: VariableModule, isStart: boolean): void {
  const { internal } = runtime.databases;
  const allowed = isStart ? isSettableAtStart : isChangeable;
  const rows = select(internal, "SELECT * FROM main.global_variables WHERE variable_name LIKE ?", `${module}-%`);
  for (const row of rows) {
    const [name, value] = [String(row["variable_name"]), String(row["variable_value"])];
    if (allowed(name) && isValid(name, value)) runtime.variables.set(name, value);
  }
  runtime.variables.alignCollation();
  replaceVariables(runtime, module);
  runtime.variables.emit("loaded");
}

/** Makes the memory layer's variables of a module equal to the running ones. */
function replaceVariables(runtime: Runtime, module: VariableModule): void {
  const { internal } = runtime.databases;
  transaction(internal, () => {
    internal.prepare("DELETE FROM main.global_variables WHERE variable_name LIKE ?").run(`${module}-%`);
    insertRows(internal, "main.global_variables", runtime.variables.entries(module));
  });
}

function memoryToRuntime(runtime: Runtime, family: Family, isStart: boolean): void {
  const { internal } = runtime.databases;
  for (const table of TABLES[family]) {
    if (!DERIVED.has(table)) runtime.copies.set(table, select(internal, `SELECT * FROM main.${table}`));
  }
  const module = variablesOf(family);
  if (module !== null) loadVariables(runtime, module, isStart);
  if (family === "MYSQL SERVERS") loadServers(runtime);
  if (family === "MYSQL USERS") loadUsers(runtime);
  if (family === "MYSQL QUERY RULES") {
    runtime.rules.load(select(internal, "SELECT * FROM main.mysql_query_rules WHERE active = 1"));
  }
  recordChecksum(runtime, family, isStart);
}

function runtimeToMemory(runtime: Runtime, family: Family): void {
  const { internal } = runtime.databases;
  const module = variablesOf(family);
  if (module !== null) replaceVariables(runtime, module);
  for (const table of TABLES[family]) {
    if (!DERIVED.has(table)) replaceRows(internal, `main.${table}`, valuesOf(runtime.copies.get(table) ?? []));
  }
  if (family === "MYSQL USERS") insertRows(internal, "main.mysql_users", runtime.users.rows());
  if (family === "MYSQL QUERY RULES") replaceRows(internal, "main.mysql_query_rules", valuesOf(runtime.rules.rows()));
  if (family === "MYSQL SERVERS") {
    const shown = runtime.hostgroups.list().map((server) => {
      return serverValues(server.row, server.status === "SHUNNED" ? "ONLINE" : server.status);
    });
    replaceRows(internal, "main.mysql_servers", shown);
  }
}

/** Copies a family between memory and disk; returns the number of variables copied. */
function copy(runtime: Runtime, family: Family, from: "main" | "disk", to: "main" | "disk"): number {
  const { internal } = runtime.databases;
  const module = variablesOf(family);
  if (module !== null) {
    const result = internal
      .prepare(
        `INSERT OR REPLACE INTO ${to}.global_variables SELECT * FROM ${from}.global_variables WHERE variable_name LIKE ?`,
      )
      .run(`${module}-%`);
    return Number(result.changes);
  }
  transaction(internal, () => {
    for (const table of TABLES[family]) {
      internal.exec(`DELETE FROM ${to}.${table}; INSERT INTO ${to}.${table} SELECT * FROM ${from}.${table}`);
    }
  });
  return 0;
}

/**
 * Carries out a LOAD or SAVE.
 *
 * @param config reads the configuration file anew.
 * @returns the affectedRows of the OK packet.
 */
export function moveFamily(runtime: Runtime, family: Family, move: Move, config: () => ConfigFile): number {
  switch (move) {
    case "memory to runtime":
      memoryToRuntime(runtime, family, false);
      return 0;
    case "runtime to memory":
      runtimeToMemory(runtime, family);
      return 0;
    case "disk to memory":
      return copy(runtime, family, "disk", "main");
    case "memory to disk":
      return copy(runtime, family, "main", "disk");
    case "config to memory":
      return configToMemory(runtime.databases.internal, config(), family);
  }
}

/** How a starting server fills its memory layer. */
export type Origin = "disk" | "config" | "disk and config";

/** Fills memory from disk or the configuration file, saves it where it is new, and starts to run it. */
export function startLayers(runtime: Runtime, origin: Origin, config: ConfigFile): void {
  for (const family of FAMILIES) {
    if (origin !== "config") copy(runtime, family, "disk", "main");
    if (origin !== "disk") configToMemory(runtime.databases.internal, config, family);
    memoryToRuntime(runtime, family, true);
    if (origin !== "disk") copy(runtime, family, "main", "disk");
  }
  showMonitorFlagAsNumber(runtime);
}

/** After a start with the monitor switched off, the real server shows `0` in memory instead of `false`. */
function showMonitorFlagAsNumber(runtime: Runtime): void {
  const name = "mysql-monitor_enabled";
  if (runtime.variables.flag(name)) return;
  runtime.databases.internal
    .prepare("UPDATE main.global_variables SET variable_value = '0' WHERE variable_name = ?")
    .run(name);
}

/** Whether a name is a variable of the module that a family is about. */
export function belongsTo(name: string, family: Family): boolean {
  return moduleOf(name) === variablesOf(family);
}
