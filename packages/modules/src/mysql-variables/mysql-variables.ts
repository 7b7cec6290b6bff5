import { askBatch, defineModule, type Sql, sql, sqlId, sqlJoin, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { mariadbLogin, mariadbServer } from "../probes/sql-login.ts";
import { readRows, runSql, type SqlRow, sqlBatch } from "../probes/sql-session.ts";

const params = z.strictObject({
  login: mariadbLogin,
  variables: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]*$/, "a variable's name is lower-case words"),
      z.union([z.string(), z.number(), z.boolean()]),
    )
    .describe('global variables by name: { max_connections: 500, innodb_buffer_pool_size: "2G", read_only: false }'),
});

type Wanted = z.output<typeof params>["variables"];

/** Values as SHOW VARIABLES prints them. */
type VariablesState = { readonly [name: string]: string };

/**
 * Dynamic global variables of the running server. A restart forgets them: pair it with the configuration file.
 * @see https://mariadb.com/kb/en/information-schema-system_variables-table/
 */
export const mysqlVariables = defineModule({
  name: "mysql_variables",
  summary: "Dynamic global variables of a running MariaDB server; a restart forgets them",
  params,
  id: ({ variables }) => Object.keys(variables).join(","),
  touches: ({ variables }) => Object.keys(variables).map((name) => `mysql_variable:${name}`),
  probe({ login, variables }) {
    const server = mariadbServer(login);
    const names = sqlJoin(Object.keys(variables).map((name) => sql`${name.toUpperCase()}`));
    const question = sql`SELECT LOWER(VARIABLE_NAME), IFNULL(GLOBAL_VALUE, ''), VARIABLE_TYPE, READ_ONLY
FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME IN (${names}) ORDER BY VARIABLE_NAME`;
    return askBatch(sqlBatch(server), question.toString(), (output): VariablesState | Unmet => {
      const rows = readRows(server, output);
      return rows instanceof Unmet ? rows : readVariables(variables, rows);
    });
  },
  desired: ({ variables }) =>
    Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)])),
  plan({ params: { login, variables }, current, wanted }) {
    const differing = Object.entries(variables).filter(([name]) => current?.[name] !== wanted?.[name]);
    return [
      runSql(
        mariadbServer(login),
        differing.map(([name, value]) => assignment(name, value)),
      ),
    ];
  },
});

function assignment(name: string, value: string | number | boolean): Sql {
  const bytes = typeof value === "string" ? parseSize(value) : undefined;
  return sql`SET GLOBAL ${sqlId(name)} = ${bytes ?? value}`;
}

/** A value that means the wanted one, written in whatever way, is shown as the wanted one. */
function readVariables(wanted: Wanted, rows: readonly SqlRow[]): VariablesState {
  const found = new Map(
    rows.map(([name = "", value = "", type = "", readOnly = ""]) => [name, { value, type, readOnly }]),
  );
  return Object.fromEntries(
    Object.entries(wanted).map(([name, value]): [string, string] => {
      const variable = found.get(name);
      if (variable === undefined) throw new Error(`this server has no variable ${name}`);
      const same = equivalent(variable.type, variable.value, value);
      if (!same && variable.readOnly === "YES") {
        throw new Error(
          `${name} is ${variable.value} and cannot be set while the server runs: use its configuration file`,
        );
      }
      return [name, same ? String(value) : variable.value];
    }),
  );
}

function equivalent(type: string, found: string, wanted: string | number | boolean): boolean {
  const text = String(wanted);
  if (type === "BOOLEAN" || /^(ON|OFF)$/.test(found)) return found === normalizeSwitch(text);
  if (/INT|DOUBLE/.test(type)) return Number(found) === (parseSize(text) ?? Number(text));
  if (type === "SET" || type === "FLAGSET") return splitSet(found) === splitSet(text);
  return type === "ENUM" ? found.toUpperCase() === text.toUpperCase() : found === text;
}

function normalizeSwitch(text: string): string {
  if (/^(1|on|true)$/i.test(text)) return "ON";
  return /^(0|off|false)$/i.test(text) ? "OFF" : text;
}

function splitSet(text: string): string {
  return text.toUpperCase().split(",").sort().join(",");
}

/** Bytes of `128M`; the suffixes of option files, which SET does not know. */
function parseSize(text: string): number | undefined {
  const match = /^(\d+)([KMGT])$/i.exec(text);
  if (match === null) return undefined;
  const power = "KMGT".indexOf((match[2] ?? "").toUpperCase()) + 1;
  return Number(match[1]) * 1024 ** power;
}
