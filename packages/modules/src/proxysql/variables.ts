import {
  type Action,
  askBatch,
  BugError,
  defineModule,
  equalValues,
  Secret,
  type Sql,
  sqlite,
  sqlJoin,
  sqlWords,
  Unmet,
} from "@keybuzz/runner";
import * as z from "zod";
import { proxysqlLogin, proxysqlServer } from "../probes/sql-login.ts";
import { PROXYSQL_NEEDS_RESTART } from "../probes/sql-rows.ts";
import { readRows, runSql, type SqlRow, sqlBatch } from "../probes/sql-session.ts";
import { adminPort } from "./family.ts";
import { literal } from "./layers.ts";

const params = z.strictObject({
  login: proxysqlLogin,
  variables: z
    .record(
      z.string().regex(/^(mysql|admin)-[A-Za-z0-9_]+$/, "variables are called mysql-NAME or admin-NAME"),
      z.union([z.string(), z.number(), z.boolean(), z.instanceof(Secret)]),
    )
    .describe('values by name: { "mysql-monitor_username": "monitor", "mysql-threads": 4 }; others stay as found'),
});

type Value = string | null | Secret;
type Values = { readonly [name: string]: Value };

/**
 * `restartNeeded`: variables of those that only a restart puts in force whose value on disk is not the one in force.
 */
type VariablesState = {
  readonly memory: Values;
  readonly runtime: Values;
  readonly disk: Values;
  readonly restartNeeded: readonly string[];
};

/** A LOAD throws away what memory holds for these; only a start reads them, from disk. */
const NEEDS_RESTART = PROXYSQL_NEEDS_RESTART;

const SECRET = /password|credentials/;

/**
 * Global variables, in memory, at run time and on disk. What needs a restart is saved to disk and shown as
 * `restartNeeded`; the restart is for the role to order, one proxy after the other.
 *
 * ProxySQL takes any value without a word and drops a bad one when it is loaded: then the task fails, as not converged.
 * @see https://proxysql.com/documentation/global-variables/
 */
export const proxysqlVariables = defineModule({
  name: "proxysql_variables",
  summary: "ProxySQL's global variables, in memory, at run time and on disk",
  params,
  id: ({ login }) => adminPort(login),
  probe({ login, variables }) {
    const server = proxysqlServer(login);
    const names = namesToRead(Object.keys(variables));
    return askBatch(sqlBatch(server), question(names).toString(), (output): VariablesState | Unmet => {
      const rows = readRows(server, output);
      return rows instanceof Unmet ? rows : readState(variables, names, rows);
    });
  },
  desired({ variables }, current): VariablesState {
    const names = namesToRead(Object.keys(variables));
    const memory = Object.fromEntries(names.map((name) => [name, wantedValue(name, variables[name], current)]));
    const inForce = (name: string): Value =>
      (NEEDS_RESTART.includes(name) ? current?.runtime[name] : undefined) ?? memory[name] ?? null;
    return {
      memory,
      runtime: Object.fromEntries(names.map((name) => [name, inForce(name)])),
      disk: memory,
      restartNeeded: names.filter((name) => !equalValues(memory[name], inForce(name))),
    };
  },
  plan({ params: { login }, current, wanted }): readonly [Action] {
    if (wanted === null) throw new BugError("ProxySQL's variables cannot be absent");
    const statements = ["mysql", "admin"].flatMap((family) => familyStatements(family, current, wanted));
    return [runSql(proxysqlServer(login), statements)];
  },
});

/**
 * A LOAD of other variables resets those that need a restart in memory, and the SAVE after it would then write that to
 * disk: so they are always looked at, and put back.
 */
function namesToRead(declared: readonly string[]): readonly string[] {
  const more = declared.some((name) => name.startsWith("mysql-")) ? NEEDS_RESTART : [];
  return [...new Set([...declared, ...more])].sort();
}

function question(names: readonly string[]): Sql {
  const list = sqlJoin(names.map((name) => literal(name)));
  const layers = {
    memory: "main.global_variables",
    runtime: "runtime_global_variables",
    disk: "disk.global_variables",
  };
  const selects = Object.entries(layers).map(([layer, table]) => {
    const from = sqlJoin(table.split(".").map(sqlWords), ".");
    return sqlite`SELECT ${layer}, variable_name, IFNULL('='||variable_value,'-') FROM ${from} WHERE variable_name IN (${list}) ORDER BY variable_name`;
  });
  return sqlJoin(selects, ";\n");
}

type Wanted = z.output<typeof params>["variables"];

function readState(wanted: Wanted, names: readonly string[], rows: readonly SqlRow[]): VariablesState {
  const texts = (layer: string): ReadonlyMap<string, string | null> =>
    new Map(
      rows
        .filter((row) => row[0] === layer)
        .map((row) => [row[1] ?? "", row[2]?.startsWith("=") ? row[2].slice(1) : null]),
    );
  const layers = [texts("memory"), texts("runtime"), texts("disk")] as const;
  const unknown = names.filter((name) => layers[1].get(name) === undefined);
  if (unknown.length > 0) throw new Error(`this ProxySQL has no variable ${unknown.join(", ")}`);
  const show = (layer: ReadonlyMap<string, string | null>): Values =>
    Object.fromEntries(
      names.map((name) => {
        const all = [...layers.map((other) => other.get(name) ?? null), plain(wanted[name])];
        return [name, hide(name, wanted[name], normalize(layer.get(name) ?? null, all))];
      }),
    );
  const [memory, runtime, disk] = [show(layers[0]), show(layers[1]), show(layers[2])];
  const restartNeeded = names.filter((name) => NEEDS_RESTART.includes(name) && !equalValues(disk[name], runtime[name]));
  return { memory, runtime, disk, restartNeeded };
}

function plain(value: Wanted[string] | undefined): string | null {
  if (value === undefined) return null;
  return value instanceof Secret ? value.reveal() : String(value).trim();
}

/** A switch is true or false once loaded, and may be 1 or 0 where a configuration file set it. */
function normalize(value: string | null, all: readonly (string | null)[]): string | null {
  if (!all.some((other) => other === "true" || other === "false")) return value;
  return value === "1" ? "true" : value === "0" ? "false" : value;
}

function hide(name: string, given: Wanted[string] | undefined, value: string | null): Value {
  return value !== null && (given instanceof Secret || SECRET.test(name)) ? new Secret(value) : value;
}

/** What is not declared keeps the value that it has in memory. */
function wantedValue(name: string, given: Wanted[string] | undefined, current: VariablesState | null): Value {
  const found = [current?.memory[name], current?.runtime[name], current?.disk[name]].map(textOf);
  const wanted = given === undefined ? (found[0] ?? found[1] ?? null) : plain(given);
  return hide(name, given, normalize(wanted, [...found, wanted]));
}

function textOf(value: Value | undefined): string | null {
  return value instanceof Secret ? value.reveal() : (value ?? null);
}

function familyStatements(family: string, current: VariablesState | null, wanted: VariablesState): readonly Sql[] {
  const names = Object.keys(wanted.memory).filter((name) => name.startsWith(`${family}-`));
  const differs = (layer: "memory" | "runtime" | "disk", name: string): boolean =>
    !equalValues(current?.[layer][name], wanted[layer][name]);
  const dynamic = names.filter((name) => !NEEDS_RESTART.includes(name));
  const edits = dynamic.filter((name) => differs("memory", name));
  const load = edits.length > 0 || dynamic.some((name) => differs("runtime", name));
  const onStart = names.filter((name) => NEEDS_RESTART.includes(name) && (load || differs("memory", name)));
  const words = sqlWords(`${family.toUpperCase()} VARIABLES`);
  return [
    ...edits.map((name) => assign(name, wanted.memory[name] ?? null)),
    ...(load ? [sqlite`LOAD ${words} TO RUNTIME`] : []),
    ...onStart.map((name) => assign(name, wanted.memory[name] ?? null)),
    ...(names.some((name) => differs("disk", name)) ? [sqlite`SAVE ${words} TO DISK`] : []),
  ];
}

function assign(name: string, value: Value): Sql {
  return sqlite`REPLACE INTO global_variables (variable_name, variable_value) VALUES (${name}, ${literal(value)})`;
}
