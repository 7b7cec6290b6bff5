import { createHmac, randomBytes } from "node:crypto";
import {
  type Batch,
  type ExecAction,
  exec,
  type Output,
  revealText,
  type Script,
  Secret,
  type Sh,
  type Sql,
  sh,
  sqlJoin,
  type Unmet,
  unmet,
} from "@keybuzz/runner";
import type { SqlServer } from "./sql-login.ts";

const BEGIN = "-- kb-answer";
const END = "-- kb-done";

/**
 * One session of the `mariadb` client for the statements of all tasks that talk to the same server.
 *
 * - The password is the first line of standard input, read by the shell and handed on as an option file on a pipe
 *   (a here-document): so it is in no argument, environment or file, also behind `docker exec`, which passes on standard
 *   input alone. `--defaults-file` keeps other option files out, of root's too.
 * - `--binary-mode`: what looks like a client command inside a value is none, and line ends stay as they are.
 * - `--force --unbuffered`: the message of a failed statement stands where its answer would have been.
 * - `skip-print-query-on-error`: the client would print a failed statement with the secrets in it; `loose`, since
 *   clients before 10.5 do not know it.
 * @see https://mariadb.com/kb/en/mariadb-command-line-client/
 */
function clientScript(server: SqlServer, force: boolean): Sh {
  const mode = force ? sh`--force --unbuffered` : sh`--unbuffered`;
  const client = sh`IFS= read -r kb_password || exit 1
mariadb --defaults-file=/dev/fd/4 --batch --skip-column-names --binary-mode --skip-reconnect --connect-timeout=10 \
--default-character-set=utf8mb4 ${mode} ${server.arguments} 4<<KB_OPTIONS
[client]
loose-skip-print-query-on-error
$kb_password
KB_OPTIONS`;
  return server.container === undefined ? client : sh`docker exec -i ${server.container} sh -c ${client.text}`;
}

/** One line of an option file, or an empty one. @see https://mariadb.com/kb/en/configuring-mariadb-with-option-files/ */
function passwordLine(password: Secret | undefined): string {
  if (password === undefined) return "";
  const escaped = password
    .reveal()
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `password="${escaped}"`;
}

function input(server: SqlServer, statements: readonly string[], secret: boolean): string | Secret {
  const body = statements.map((statement) => `${statement};\n`).join("");
  const text = `${passwordLine(server.password)}\n${body}`;
  return secret || server.password !== undefined ? new Secret(text) : text;
}

/**
 * The session of a question is read-only where the server can make it so. The shell puts the client's own messages into
 * the answer: without them a refused session would look like silence.
 */
function question(server: SqlServer, keys: readonly string[], secret: boolean): Script {
  const opening = [server.opening, server.readOnly].filter((statement) => statement !== undefined);
  const answers = keys.flatMap((key) => [`SELECT '${BEGIN}'`, key, `SELECT '${END}'`]);
  const script = sh`{
${clientScript(server, true)}
} 2>&1`;
  return { script, stdin: input(server, [...opening, ...answers], secret) };
}

// Two logins that differ in the password alone are two sessions; this tells them apart without telling the password.
const NAME_KEY = randomBytes(16);

/** Statements for one server are asked in one session; a key is one statement or several, joined by `;`. */
export function sqlBatch(server: SqlServer): Batch {
  const digest = createHmac("sha256", NAME_KEY).update(passwordLine(server.password)).digest("hex").slice(0, 16);
  return {
    name: `sql ${server.container ?? ""} ${server.arguments.text} ${digest}`,
    render: (keys) => question(server, keys, false),
    split: splitParts,
  };
}

/** A session of its own, for statements that hold secrets or change the session. */
export function sqlQuestion(server: SqlServer, statements: readonly Sql[]): Script {
  return question(server, [revealText(sqlJoin(statements, ";\n").input)], true);
}

function splitParts(stdout: string, keys: readonly string[]): readonly string[] {
  const whole: string[] = [];
  let from = 0;
  for (;;) {
    const at = stdout.indexOf(`${END}\n`, from);
    if (at < 0) break;
    const to = at + END.length + 1;
    // Only a line of its own is a mark.
    if (at > 0 && stdout[at - 1] !== "\n") return keys.map(() => stdout);
    whole.push(stdout.slice(from, to));
    from = to;
  }
  const rest = stdout.slice(from);
  return keys.map((_, index) => whole[index] ?? rest);
}

/** One row as the client printed it; NULL is the text `NULL`, so ask for JSON where that matters. */
export type SqlRow = readonly string[];

/** A Galera node that is not part of a Primary Component, or has not caught up yet. */
const NODE_NOT_READY = 1047;

const FAILURE = /^ERROR (\d+) \([0-9A-Z]{5}\)/;

/**
 * The rows of an answer.
 *
 * @param prerequisites error numbers that say that something which is asked about is not there yet
 * @throws Error with the server's message where the session was refused or a statement failed
 */
export function readRows(
  server: SqlServer,
  { stdout }: Output,
  prerequisites: readonly number[] = [],
): readonly SqlRow[] | Unmet {
  const lines = stdout.split("\n");
  const begin = lines.indexOf(BEGIN);
  const end = lines.lastIndexOf(END);
  if (begin < 0 || end < begin) return explainSilence(server, stdout);
  const body = lines.slice(begin + 1, end);
  const failure = body.findIndex((line) => FAILURE.test(line));
  if (failure >= 0) {
    const said = `${server.label}: ${body.slice(failure).join(" ")}`;
    const number = Number(FAILURE.exec(body[failure] ?? "")?.[1]);
    if (number === NODE_NOT_READY || prerequisites.includes(number)) return unmet(said);
    throw new Error(said);
  }
  return body.map((line) => line.split("\t").map(unescapeField));
}

/** Undoes the client's escaping of `--batch`. */
function unescapeField(field: string): string {
  const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", "0": "\0" };
  return field.replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char);
}

const MISSING: readonly (readonly [RegExp, (server: SqlServer) => Unmet])[] = [
  [/\bmariadb: (command )?not found/, () => unmet("the mariadb client is not installed", "install mariadb-client")],
  [/\bdocker: (command )?not found/, () => unmet("docker is not installed")],
  [/Cannot connect to the Docker daemon/, () => unmet("dockerd does not answer")],
  [
    /No such container|is not running|is restarting|is paused/,
    ({ container }) => unmet(`container ${container} is not running`),
  ],
];

/** Why a session gave no answer: the server is not there (yet), or it refused. */
function explainSilence(server: SqlServer, said: string): Unmet {
  const missing = MISSING.find(([pattern]) => pattern.test(said));
  if (missing !== undefined) return missing[1](server);
  const text = said.trim().split("\n").at(-1) ?? "";
  // No socket, connection refused, connection lost before or while it was used.
  // https://mariadb.com/kb/en/mariadb-error-code-reference/
  if (/^ERROR (2002|2003|2006|2013) /.test(text)) return unmet(`${server.label} does not answer: ${text}`);
  if (/^ERROR (1040|1045|1130|1698) /.test(text)) throw new Error(`${server.label} refused the login: ${text}`);
  throw new Error(`${server.label}: no session: ${text === "" ? "the client said nothing" : text}`);
}

/**
 * Runs statements in order, in one session that ends at the first failure.
 *
 * Where a statement holds a secret, a syntax error's quotation of it is cut from the message.
 */
export function runSql(
  server: SqlServer,
  statements: readonly Sql[],
  options: { timeoutMs?: number } = {},
): ExecAction {
  const { secret } = sqlJoin(statements);
  const client = clientScript(server, false);
  const script = secret
    ? sh`kb_said=$( {
${client}
} 2>&1 ) || { printf '%s\n' "\${kb_said%% near *}" >&2; exit 1; }`
    : client;
  const opening = server.opening === undefined ? [] : [server.opening];
  const texts = [...opening, ...statements.map((statement) => revealText(statement.input))];
  return exec(script, { stdin: input(server, texts, secret), ...options });
}
