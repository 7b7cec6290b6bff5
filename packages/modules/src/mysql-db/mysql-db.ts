import { askBatch, defineModule, type Sql, sql, sqlId, sqlJoin, sqlWords, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { mariadbLogin, mariadbServer } from "../probes/sql-login.ts";
import { readRows, runSql, sqlBatch } from "../probes/sql-session.ts";

const word = z.string().regex(/^[A-Za-z0-9_]+$/, "must be one word of letters, digits and underscores");

const params = z
  .strictObject({
    login: mariadbLogin,
    name: z.string().min(1).describe("database name"),
    encoding: word.optional().describe("default character set of new tables: utf8mb4; as found unless given"),
    collation: word.optional().describe("default collation of new tables; as found unless given"),
    state: z.enum(["present", "absent"]).default("present").describe("whether the database exists"),
    confirm: z
      .string()
      .optional()
      .describe("needed with state absent, which destroys all tables: the database's name again"),
  })
  .refine(({ state, name, confirm }) => state === "present" || confirm === name, {
    path: ["confirm"],
    message: "state absent destroys the database: give its name once more as confirm",
  });

const SERVER_DEFAULT = "(server default)";

type DbState = { readonly encoding: string; readonly collation: string };

/**
 * A database with its defaults for new tables. Tables that exist keep their character set and collation.
 * @see https://mariadb.com/kb/en/create-database/
 */
export const mysqlDb = defineModule({
  name: "mysql_db",
  summary: "A database of a MariaDB server, with its default character set and collation",
  params,
  id: ({ name }) => name,
  probe({ login, name }) {
    const server = mariadbServer(login);
    const question = sql`SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME
FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${name}`;
    return askBatch(sqlBatch(server), question.toString(), (output): DbState | null | Unmet => {
      const rows = readRows(server, output);
      if (rows instanceof Unmet) return rows;
      // The comparison in SQL takes no notice of case.
      const [, encoding = "", collation = ""] = rows.find(([found]) => found === name) ?? [];
      return encoding === "" ? null : { encoding, collation };
    });
  },
  desired({ state, encoding, collation }, current): DbState | null {
    if (state === "absent") return null;
    const charset = encoding === undefined ? undefined : currentName(encoding);
    const wanted = collation === undefined ? undefined : currentName(collation);
    // What the server chooses is known once it has: then it is the state found.
    const implied = wanted?.split("_")[0] ?? current?.encoding ?? SERVER_DEFAULT;
    const chosen = charset ?? implied;
    const kept =
      current?.encoding === chosen ? current.collation : chosen === SERVER_DEFAULT ? chosen : `(default of ${chosen})`;
    return { encoding: chosen, collation: wanted ?? kept };
  },
  plan({ params: { login, name, encoding, collation }, current, wanted }) {
    return [runSql(mariadbServer(login), [statement(name, encoding, collation, current, wanted)])];
  },
});

/** `utf8` has been the 3-byte `utf8mb3` by its full name since 10.6. @see https://mariadb.com/kb/en/unicode/ */
function currentName(name: string): string {
  return name.toLowerCase().replace(/^utf8(?=_|$)/, "utf8mb3");
}

function statement(
  name: string,
  encoding: string | undefined,
  collation: string | undefined,
  current: DbState | null,
  wanted: DbState | null,
): Sql {
  if (wanted === null) return sql`DROP DATABASE IF EXISTS ${sqlId(name)}`;
  const verb = current === null ? sql`CREATE DATABASE` : sql`ALTER DATABASE`;
  const charset = encoding === undefined ? [] : [sql`CHARACTER SET ${sqlWords(currentName(encoding))}`];
  const order = collation === undefined ? [] : [sql`COLLATE ${sqlWords(currentName(collation))}`];
  return sqlJoin([verb, sqlId(name), ...charset, ...order], " ");
}
