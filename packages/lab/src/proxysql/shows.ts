import type { AdminContext } from "./admin-session.ts";
import { DEFAULTS } from "./variables.ts";

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

interface Emulation {
  readonly pattern: RegExp;
  readonly sql: (match: readonly string[], context: AdminContext) => string;
}

const version = (): string => quote(DEFAULTS.get("admin-version") ?? "");

/** MySQL's statements that the admin port understands, and the SQLite query that answers each. */
const EMULATIONS: readonly Emulation[] = [
  { pattern: /^SELECT VERSION\(\)$/i, sql: () => `SELECT ${version()} AS "version()"` },
  { pattern: /^SELECT @@VERSION$/i, sql: () => `SELECT ${version()} AS "@@version"` },
  { pattern: /^SELECT @@VERSION_COMMENT( LIMIT 1)?$/i, sql: () => `SELECT '(ProxySQL Admin Module)'` },
  {
    pattern: /^SELECT (?:CURRENT_)?USER\(\)$/i,
    sql: (_match, context) => `SELECT ${quote(`${context.user}@${context.clientAddress}`)} AS "user()"`,
  },
  { pattern: /^SELECT (@@SQL_MODE)$/i, sql: ([name = ""]) => `SELECT '' AS "${name}"` },
  {
    pattern: /^SELECT (@@([\w-]+))( LIMIT 1)?$/i,
    sql: ([column = "", name = ""]) =>
      `SELECT variable_value AS "${column}" FROM global_variables WHERE variable_name = ${quote(name)}`,
  },
  { pattern: /^SHOW (?:DATABASES|SCHEMAS)$/i, sql: () => "SELECT seq, name, file FROM pragma_database_list" },
  {
    pattern: /^SHOW TABLES$/i,
    sql: () => "SELECT name AS tables FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  },
  {
    pattern: /^SHOW TABLES FROM (\w+)$/i,
    sql: ([database = ""]) =>
      `SELECT name AS tables FROM ${database}.sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
  },
  { pattern: /^SHOW TABLES LIKE .*$/i, sql: () => "SELECT name AS tables FROM sqlite_master WHERE 0" },
  {
    pattern: /^SHOW CREATE TABLE (?:`?(\w+)`?\.)?`?(\w+)`?$/i,
    sql: ([database = "main", table = ""]) =>
      `SELECT name AS "table", sql AS "Create Table" FROM ${database || "main"}.sqlite_master WHERE type='table' AND name=${quote(table)}`,
  },
  {
    pattern: /^SHOW (?:(ADMIN|MYSQL) )?VARIABLES$/i,
    sql: ([module = ""]) =>
      `SELECT variable_name AS Variable_name, variable_value AS Value FROM global_variables WHERE variable_name LIKE '${module.toLowerCase()}%' ORDER BY variable_name`,
  },
  {
    pattern: /^SHOW VARIABLES LIKE (.+)$/i,
    sql: ([pattern = ""]) =>
      `SELECT variable_name AS Variable_name, variable_value AS Value FROM global_variables WHERE variable_name LIKE ${pattern} ORDER BY variable_name`,
  },
  {
    pattern: /^SHOW PROCESSLIST$/i,
    sql: () => "SELECT SessionID, user, db, hostgroup, command, time_ms, info FROM stats_mysql_processlist",
  },
  { pattern: /^SHOW FULL PROCESSLIST$/i, sql: () => "SELECT * FROM stats_mysql_processlist" },
  { pattern: /^SHOW MYSQL (USERS|SERVERS)$/i, sql: ([what = ""]) => `SELECT * FROM mysql_${what.toLowerCase()}` },
];

/**
 * Translates MySQL's own statements (SHOW, SELECT @@x) for SQLite.
 *
 * @param command the normalised statement.
 * @returns null if the statement needs no translation.
 */
export function emulatedQuery(context: AdminContext, command: string): string | null {
  for (const { pattern, sql } of EMULATIONS) {
    const match = pattern.exec(command);
    if (match !== null) return sql(match.slice(1), context);
  }
  return null;
}
