import { randomBytes } from "node:crypto";
import { type Action, type Content, GIVE_UP } from "../action.ts";
import { PLACE_FUNCTIONS, placeOf } from "../place.ts";
import type { Script } from "../probe.ts";
import { revealText, Secret } from "../secret.ts";
import { quoteShell, Sh, sh, shLines } from "../sh.ts";

const DEFAULT_TIMEOUT_MS = 600_000;
const MAX_LITERAL = 1024;

/** Exit code of a wait that the operator stopped. */
export const INTERRUPTED = 130;

/**
 * Sent once, when a shell is opened. Defines what later scripts call:
 * - `kb_run ID SCRIPT`: runs a script in a subshell of its own, framed, on whatever standard input it is given;
 * - `kb_same WITHCODE EXPECTED SCRIPT`, `kb_hash WITHCODE SHA256 SCRIPT`: asks again and compares;
 * - `kb_free`: whether to go on; `kb_halt TASK WHY`: stops before a task, once.
 *
 * File descriptor 9 holds the host's lock. Children must not inherit it: a daemon started by an action would keep the
 * lock for as long as it lives.
 */
export function renderPrelude(nonce: string, lock: LockRequest | undefined): string {
  return `
KB_N='@@${nonce}'; KB_STOP=/run/lock/keybuzz-stop-${nonce}; [ -d /run/lock ] || KB_STOP=/tmp/keybuzz-stop-${nonce}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL
unset LANG LANGUAGE ENV BASH_ENV; umask 022; cd /; kb_end=
${PLACE_FUNCTIONS.text}
kb_mark() { printf '\\n%s %s\\n' "$KB_N" "$1"; printf '\\n%s %s\\n' "$KB_N" "$1" >&2; }
kb_run() { kb_mark "b $1"; ( exec 9>&-; eval "$2" ); kb_rc=$?; kb_mark "e $1 $kb_rc"; return $kb_rc; }
kb_ask() { ( exec 9>&-; eval "$2" ) 2>/dev/null; kb_rc=$?; if [ "$1" = 1 ]; then printf ':%s' $kb_rc; else printf ':'; fi; }
kb_same() { [ "$(kb_ask "$1" "$3")" = "$2" ]; }
kb_hash() { [ "$(kb_ask "$1" "$3" | sha256sum)" = "$2  -" ]; }
kb_free() { [ -z "$kb_end" ]; }
kb_halt() { if [ -z "$kb_end" ]; then kb_end=$1; kb_mark "h $1 $2"; fi; }
${lock === undefined ? "kb_mark r" : renderLock(lock)}
`;
}

/** Who asks for the host's lock, as others will be told. */
export interface LockRequest {
  readonly owner: string;
  /** Folder of the lock file on the host; /run/lock unless given. */
  readonly folder?: string;
}

/**
 * An flock(2) on an open descriptor of the held shell: the kernel frees it when the shell is gone, however it went.
 * The file's content says who holds it; it is no lock by itself.
 */
function renderLock(lock: LockRequest): string {
  const folder = quoteShell(lock.folder ?? "/run/lock");
  return `kb_lock=${folder}/keybuzz.lock; [ "$(id -u)" = 0 ] || kb_lock=${folder}/keybuzz-$(id -u).lock
if ! ( : >>"$kb_lock" ) 2>/dev/null; then kb_mark "r locked 0 nobody: $kb_lock cannot be written"; exit 0; fi
exec 9>>"$kb_lock"
if flock -n 9; then printf '%s\\n' ${quoteShell(lock.owner)} >"$kb_lock"; kb_mark r
else kb_mark "r locked $(( $(date +%s) - $(stat -c %Y "$kb_lock") )) $(head -n 1 "$kb_lock")"; exit 0; fi`;
}

/** Framed run of a question's script; the shell never sees the script's own quotes as its own. */
export function renderRun(id: string, script: Script): string {
  return `${renderInput(script.stdin)}kb_run ${id} ${quoteShell(script.script.text)}${script.stdin === undefined ? " </dev/null" : ""}`;
}

/** What an answer has to be for an action to go ahead. */
export interface Guard {
  readonly script: Script;
  readonly expected: Buffer;
  /** Compared too, unless the question is part of a batch, whose exit code speaks for all of its keys. */
  readonly exitCode: number | undefined;
}

/** A test that holds where the question still gets the same answer. */
export function renderGuard(guard: Guard, sha256: (data: Buffer) => string): string {
  const withCode = guard.exitCode === undefined ? "0" : "1";
  const expected = Buffer.concat([
    guard.expected,
    Buffer.from(guard.exitCode === undefined ? ":" : `:${guard.exitCode}`),
  ]);
  const text = expected.toString("utf8");
  const literal = expected.length <= MAX_LITERAL && !expected.includes(0) && Buffer.from(text).equals(expected);
  const test = literal
    ? `kb_same ${withCode} ${quoteShell(text)} ${quoteShell(guard.script.script.text)}`
    : `kb_hash ${withCode} ${sha256(expected)} ${quoteShell(guard.script.script.text)}`;
  return `${renderInput(guard.script.stdin)}${test}${guard.script.stdin === undefined ? " </dev/null" : ""}`;
}

/** `printf` is built into every POSIX shell in use, so the text appears in no process's arguments. */
function renderInput(stdin: string | Secret | undefined): string {
  return stdin === undefined ? "" : `printf %s ${quoteShell(revealText(stdin))} | `;
}

/** An action as a script, and the longest that it may take in milliseconds. */
export function renderAction(action: Action): { readonly script: Script; readonly timeoutMs: number } {
  switch (action.kind) {
    case "exec": {
      const timeoutMs = action.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const script = withTimeout(action.script, timeoutMs);
      return { script: action.stdin === undefined ? { script } : { script, stdin: action.stdin }, timeoutMs };
    }
    case "write":
      return { script: renderWrite(action), timeoutMs: DEFAULT_TIMEOUT_MS };
    case "wait": {
      const script = renderWait(action);
      const limit = action.timeoutMs + 60_000;
      return { script: action.stdin === undefined ? { script } : { script, stdin: action.stdin }, timeoutMs: limit };
    }
  }
}

/**
 * The script comes over a descriptor, not as an argument, and leaves standard input free. timeout(1) makes a process
 * group of its own and ends all of it. Exit code 124 (or 137 after the grace time) says that it did.
 */
function withTimeout(script: Sh, timeoutMs: number): Sh {
  const end = `KB_${randomBytes(8).toString("hex")}`;
  return Sh.unsafe(
    `timeout -k 10 ${Math.max(1, Math.ceil(timeoutMs / 1000))} sh /dev/fd/3 3<<'${end}'\n${script.text}\n${end}`,
  );
}

/**
 * The new content is only ever reached through the descriptor that created it, and the target by its name in a directory
 * that the shell stands in: whoever else may write there cannot lead it astray.
 */
function renderWrite(action: Extract<Action, { kind: "write" }>): Script {
  const owner = action.owner ?? "";
  const group = action.group === undefined ? "" : `:${action.group}`;
  const [stdin, decode] = encodeContent(action.content);
  const { directory, name } = placeOf(action.path);
  const script = shLines([
    sh`path=${action.path}; kb_enter ${directory} || exit 1`,
    sh`[ ! -d ${name} ] || { echo "$path is a directory" >&2; exit 1; }`,
    sh`umask 077; kb_new=${`./.keybuzz.${randomBytes(8).toString("hex")}`}; KB_FILE=\${PWD%/}/\${kb_new#./}; export KB_FILE`,
    // POSIX, set -C: the file must not exist, and dash, busybox and bash open it with O_EXCL.
    sh`trap 'rm -f -- "$kb_new"' EXIT; trap 'exit 130' INT TERM HUP; set -C; exec 3>"$kb_new"; set +C`,
    decode === "text" ? sh`cat >&3 || exit 1` : sh`base64 -d >&3 || exit 1`,
    // Open for reading from here on: a program that is open for writing cannot be run by its validation (execve(2), ETXTBSY).
    sh`exec 4</proc/self/fd/3 3>&-`,
    owner + group === "" ? sh`:` : sh`chown -- ${owner + group} /proc/self/fd/4 || exit 1`,
    sh`chmod ${action.mode} -- /proc/self/fd/4 || exit 1`,
    action.validate === undefined ? sh`:` : sh`( exec 4<&-; ${action.validate} ) </dev/null || exit 1`,
    sh`sync -- /proc/self/fd/4 && mv -fT -- "$kb_new" ${name} || exit 1`,
    // The directory is not synced: a power cut may bring the old file back whole, and the next run sees it.
    sh`trap - EXIT`,
  ]);
  return { script, stdin };
}

/** Text goes as it is; what a shell word cannot hold, or would not survive as UTF-8, goes as base64. */
function encodeContent(content: Content): readonly [string | Secret, "text" | "base64"] {
  if (content instanceof Uint8Array) return [Buffer.from(content).toString("base64"), "base64"];
  const text = revealText(content);
  if (!text.includes("\0")) return [content, "text"];
  const encoded = Buffer.from(text).toString("base64");
  return [content instanceof Secret ? new Secret(encoded) : encoded, "base64"];
}

function renderWait(action: Extract<Action, { kind: "wait" }>): Sh {
  const seconds = Math.max(1, Math.ceil(action.timeoutMs / 1000));
  const pause = ((action.intervalMs ?? 250) / 1000).toFixed(3);
  const read = action.stdin === undefined ? sh`kb_in=` : sh`kb_in=$(cat)`;
  return shLines([
    read,
    sh`kb_t() { printf %s "$kb_in" | ( ${action.until}`,
    sh`) ; }`,
    sh`kb_until=$(( $(date +%s) + ${seconds} ))`,
    sh`until kb_out=$(kb_t 2>&1); do`,
    sh`  kb_code=$?`,
    sh`  if [ -e "$KB_STOP" ]; then echo ${`stopped waiting for ${action.what}, as asked`} >&2; exit ${INTERRUPTED}; fi`,
    // A sign of life, which nobody sees. Where the controller is gone, it ends the wait, and with it the host's lock.
    sh`  kb_mark t`,
    sh`  if [ "$kb_code" = ${GIVE_UP} ] || [ "$(date +%s)" -ge "$kb_until" ]; then`,
    sh`    if [ "$kb_code" = ${GIVE_UP} ]; then echo ${`gave up waiting for ${action.what}`}; else kb_code=124; echo ${`waited ${seconds} s for ${action.what}`}; fi >&2`,
    sh`    printf '%s\n' "$kb_out" >&2`,
    sh`    ( ${action.onTimeout ?? sh`:`}`,
    sh`    ) >&2; exit "$kb_code"`,
    sh`  fi`,
    sh`  sleep ${pause}`,
    sh`done`,
  ]);
}
