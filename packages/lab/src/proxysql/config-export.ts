import { CONFIG_HEAD } from "./config-head.ts";
import { type Row, select } from "./databases.ts";
import type { Runtime } from "./runtime.ts";

/** Lists of the exported file, in its order, with the tables they come from. */
const LISTS: readonly (readonly [list: string, table: string])[] = [
  ["mysql_users", "mysql_users"],
  ["mysql_query_rules", "mysql_query_rules"],
  ["mysql_servers", "mysql_servers"],
  ["mysql_replication_hostgroups", "mysql_replication_hostgroups"],
  ["mysql_group_replication_hostgroups", "mysql_group_replication_hostgroups"],
  ["mysql_galera_hostgroups", "mysql_galera_hostgroups"],
  ["mysql_aws_aurora_hostgroups", "mysql_aws_aurora_hostgroups"],
  ["scheduler", "scheduler"],
  ["restapi", "restapi_routes"],
  ["proxysql_servers", "proxysql_servers"],
];

function renderVariables(runtime: Runtime, module: "admin" | "mysql"): string {
  const sql = "SELECT * FROM main.global_variables WHERE variable_name LIKE ? ORDER BY variable_name";
  const lines = select(runtime.databases.internal, sql, `${module}-%`)
    .filter((row) => row["variable_value"] !== "")
    .map((row) => `\t${String(row["variable_name"]).slice(module.length + 1)}="${row["variable_value"]}"\n`);
  return `{\n${lines.join("")}}\n`;
}

function renderRow(row: Row): string {
  const lines = Object.entries(row)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `\t\t${name}=${typeof value === "string" ? `"${value}"` : value}\n`);
  return `\t{\n${lines.join("")}\t}`;
}

function renderList(runtime: Runtime, list: string, table: string): string {
  const rows = select(runtime.databases.internal, `SELECT * FROM main.${table}`);
  return `${list}:\n(\n${rows.map(renderRow).join(",\n")}\n)\n`;
}

/** Renders the memory layer as a configuration file: what `SELECT CONFIG FILE` gives. Empty values are left out. */
export function exportConfig(runtime: Runtime): string {
  return [
    CONFIG_HEAD,
    `admin_variables =\n${renderVariables(runtime, "admin")}\n`,
    `mysql_variables = \n${renderVariables(runtime, "mysql")}`,
    ...LISTS.map(([list, table]) => renderList(runtime, list, table)),
  ].join("");
}
