import { ask, askBatch, defineModule, type Probe, Sql, sql, sqlId, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { mariadbLogin, mariadbServer } from "../probes/sql-login.ts";
import { readRows, runSql, sqlBatch, sqlQuestion } from "../probes/sql-session.ts";

const sqlParam = z.custom<Sql>((value) => value instanceof Sql, "write it with the sql tag: sql`SELECT ...`");

const params = z.strictObject({
  login: mariadbLogin,
  query: sqlParam.describe("what to run where it is not done yet; several statements are joined by `;`"),
  unless: sqlParam.describe("a SELECT, without `;`, that gives a row once it is done; run in a read-only session"),
  db: z.string().optional().describe("database that names without one are taken from"),
  title: z.string().describe("what the query does, in a few words; shown in place of its text"),
  timeoutMs: z.int().min(1000).default(600_000).describe("longest run of the query, in milliseconds"),
});

/** Unknown database, column, table, routine. @see https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const NOT_THERE_YET = [1049, 1054, 1146, 1305];

type QueryState = { readonly done: boolean };

/**
 * SQL of one's own, fenced: it runs only where `unless` gives no row, and has to make it give one.
 *
 * `unless` cannot write: its session is read-only.
 */
export const mysqlQuery = defineModule({
  name: "mysql_query",
  summary: "A writing SQL statement that runs unless a SELECT says that it is done",
  params,
  id: ({ title }) => title,
  probe({ login, unless, db }): Probe<QueryState | Unmet> {
    const server = mariadbServer(login);
    const done = sql`SELECT EXISTS (${unless})`;
    const parse = (output: Parameters<typeof readRows>[1]): QueryState | Unmet => {
      const rows = readRows(server, output, NOT_THERE_YET);
      return rows instanceof Unmet ? rows : { done: rows[0]?.[0] === "1" };
    };
    // The sessions of batches are shared: what names a database, or holds a secret, gets one of its own.
    if (db === undefined && !done.secret) return askBatch(sqlBatch(server), done.toString(), parse);
    return ask(sqlQuestion(server, [...useDatabase(db), done]), parse);
  },
  desired: () => ({ done: true }),
  plan({ params: { login, query, db, timeoutMs } }) {
    return [runSql(mariadbServer(login), [...useDatabase(db), query], { timeoutMs })];
  },
});

function useDatabase(db: string | undefined): readonly Sql[] {
  return db === undefined ? [] : [sql`USE ${sqlId(db)}`];
}
