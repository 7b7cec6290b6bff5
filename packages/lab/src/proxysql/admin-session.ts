import { writeFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { exportConfig } from "./config-export.ts";
import type { ConfigFile } from "./config-file.ts";
import { moveFamily } from "./layers.ts";
import { type Outcome, operatorCommand, type Process } from "./operator-commands.ts";
import type { Runtime } from "./runtime.ts";
import { emulatedQuery } from "./shows.ts";
import { adminError, runSql } from "./sqlite-reply.ts";
import { normalise, parseMove } from "./statements.ts";
import { DEFAULTS } from "./variables.ts";
import { refreshViews } from "./views.ts";
import { ok } from "./wire/replies.ts";

/** What an account of the admin port may do. */
export type Role = "admin" | "stats";

/** What the statements of one connection to the admin port run against. */
export interface AdminContext {
  readonly runtime: Runtime;
  readonly process: Process;
  readonly role: Role;
  readonly user: string;
  readonly clientAddress: string;
  readonly readConfig: () => ConfigFile;
}

/** Statements of client libraries that the real server swallows. */
const SWALLOWED =
  /^(BEGIN|COMMIT|ROLLBACK|START TRANSACTION|USE\b.*|SET (NAMES\b|AUTOCOMMIT\b|CHARACTER_SET_RESULTS\b|SQL_AUTO_IS_NULL\b|SQL_SAFE_UPDATES\b|SESSION CHARACTER_SET_(SERVER|RESULTS)\b).*)$/is;

function unquote(text: string): string {
  return /^(['"])([\s\S]*)\1$/.exec(text)?.[2] ?? text;
}

function setVariable(context: AdminContext, name: string, value: string): Outcome {
  const table = context.role === "admin" ? "main.global_variables" : "global_variables";
  if (context.role === "stats") return adminError("attempt to write a readonly database");
  if (!DEFAULTS.has(name)) return ok(0, `ERROR: Unknown global variable: '${name}'.`);
  const quoted = unquote(value).replaceAll("'", "''");
  return runSql(
    context.runtime.databases.admin,
    `UPDATE ${table} SET variable_value = '${quoted}' WHERE variable_name = '${name}'`,
  );
}

function writeExport(context: AdminContext, path: string, countBytes: boolean): Outcome {
  const content = exportConfig(context.runtime);
  try {
    writeFileSync(path, content, { mode: 0o600 });
  } catch {
    return adminError(`Cannot open file '${path}'`);
  }
  return ok(countBytes ? Buffer.byteLength(content) : 0, `File ${path} is saved.`);
}

function configCommand(context: AdminContext, command: string): Outcome | null {
  if (/^SELECT CONFIG FILE$/i.test(command)) {
    return { kind: "rows", columns: ["Data"], rows: [[exportConfig(context.runtime)]] };
  }
  const into = /^SELECT CONFIG INTO OUTFILE (.+)$/i.exec(command);
  if (into?.[1] !== undefined) return writeExport(context, unquote(into[1]), true);
  const to = /^SAVE CONFIG TO FILE (.+)$/i.exec(command);
  return to?.[1] === undefined ? null : writeExport(context, unquote(to[1]), false);
}

function saveDigests(context: AdminContext): Outcome {
  const { internal } = context.runtime.databases;
  refreshViews(context.runtime, "stats_mysql_query_digest");
  const result = internal
    .prepare("INSERT INTO stats_history.history_mysql_query_digest SELECT ?, * FROM stats.stats_mysql_query_digest")
    .run(Math.floor(Date.now() / 1000));
  return ok(Number(result.changes));
}

/** Commands that only administrators have; null if the statement is none. */
function privilegedCommand(context: AdminContext, command: string): Outcome | null {
  const move = parseMove(command);
  if (move !== null) {
    return ok(moveFamily(context.runtime, move.family, move.move, context.readConfig));
  }
  if (/^SAVE MYSQL DIGEST TO DISK$/i.test(command)) return saveDigests(context);
  return configCommand(context, command) ?? operatorCommand(context.process, context.runtime, command);
}

/** Carries out one statement of the admin port. */
export function execute(context: AdminContext, sql: string): Outcome {
  const command = normalise(sql);
  if (SWALLOWED.test(command)) return ok();
  if (context.role === "admin") {
    const outcome = privilegedCommand(context, command);
    if (outcome !== null) return outcome;
  }
  const assignment = /^SET ([^=]+?) ?= ?([\s\S]*)$/i.exec(command);
  if (assignment !== null) return setVariable(context, assignment[1] ?? "", assignment[2] ?? "");
  const database: DatabaseSync = context.runtime.databases[context.role];
  const query = emulatedQuery(context, command);
  refreshViews(context.runtime, query ?? sql);
  return runSql(database, query ?? sql);
}
