import { askBatch, type Probe, type Sql, sqlite, sqlJoin, Unmet } from "@keybuzz/runner";
import type * as z from "zod";
import { mariadbLogin, mariadbServer, proxysqlLogin, proxysqlServer, type SqlServer } from "./sql-login.ts";
import { readRows, type SqlRow, sqlBatch } from "./sql-session.ts";

/**
 * The rows of a SELECT or SHOW on a MariaDB server, for `hosts.probe`: in a read-only session, which the other questions of
 * the list share. NULL reads as the text `NULL`: ask for JSON_OBJECT(...) where that matters. The query holds no secret.
 */
export function mariadbRows(login: z.input<typeof mariadbLogin>, query: Sql): Probe<readonly SqlRow[] | Unmet> {
  return rowsOf(mariadbServer(mariadbLogin.parse(login)), query);
}

/** The rows of a SELECT on ProxySQL's admin port, as {@link mariadbRows}; `IFNULL('='||x,'-')` tells NULL from text. */
export function proxysqlRows(login: z.input<typeof proxysqlLogin>, query: Sql): Probe<readonly SqlRow[] | Unmet> {
  return rowsOf(proxysqlServer(proxysqlLogin.parse(login)), query);
}

function rowsOf(server: SqlServer, query: Sql): Probe<readonly SqlRow[] | Unmet> {
  return askBatch(sqlBatch(server), query.toString(), (output) => readRows(server, output));
}

/** Variables that ProxySQL reads when it starts, and never while it runs. */
export const PROXYSQL_NEEDS_RESTART: readonly string[] = ["mysql-interfaces", "mysql-threads"];

/**
 * Names of the variables whose value on disk waits for a restart of ProxySQL. Empty where none does.
 * @see https://proxysql.com/documentation/global-variables/
 */
export function proxysqlRestartNeeded(login: z.input<typeof proxysqlLogin>): Probe<readonly string[] | Unmet> {
  const names = sqlJoin(PROXYSQL_NEEDS_RESTART.map((name) => sqlite`${name}`));
  const server = proxysqlServer(proxysqlLogin.parse(login));
  const value = (table: Sql): Sql => sqlite`SELECT variable_name, variable_value FROM ${table}
WHERE variable_name IN (${names}) ORDER BY variable_name`;
  const question = sqlJoin([value(sqlite`disk.global_variables`), value(sqlite`runtime_global_variables`)], ";\n");
  return askBatch(sqlBatch(server), question.toString(), (output) => {
    const rows = readRows(server, output);
    if (rows instanceof Unmet) return rows;
    // Of each variable there is a row from disk, then one of run time.
    return PROXYSQL_NEEDS_RESTART.filter((name) => {
      const [onDisk, inForce] = rows.filter((row) => row[0] === name).map((row) => row[1]);
      return onDisk !== undefined && inForce !== undefined && onDisk !== inForce;
    });
  });
}
