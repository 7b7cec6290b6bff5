import { PLACE_FUNCTIONS } from "../place.ts";
import type { Script } from "../probe.ts";
import { revealText, type Secret } from "../secret.ts";
import { quoteShell } from "../sh.ts";
import { WRITE_FUNCTIONS } from "./write.ts";

const MAX_LITERAL = 1024;

/** What every shell that runs scripts of ours needs to know: the held one, and those of other users in it. */
function renderFunctions(nonce: string): string {
  return `KB_N='@@${nonce}'; KB_STOP=/run/lock/keybuzz-stop-${nonce}; [ -d /run/lock ] || KB_STOP=/tmp/keybuzz-stop-${nonce}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL
unset LANG LANGUAGE ENV BASH_ENV; umask 022; cd /; kb_end=
${PLACE_FUNCTIONS.text}
${WRITE_FUNCTIONS}
kb_mark() { printf '\\n%s %s\\n' "$KB_N" "$1"; printf '\\n%s %s\\n' "$KB_N" "$1" >&2; }
kb_run() { kb_mark "b $1"; ( exec 9>&-; eval "$2" ); kb_rc=$?; kb_mark "e $1 $kb_rc"; return $kb_rc; }
kb_act() { kb_mark "b $1"; ( eval "$2" ); kb_rc=$?; kb_mark "e $1 $kb_rc"; return $kb_rc; }
kb_ask() { ( exec 9>&-; eval "$2" ) 2>/dev/null; kb_rc=$?; if [ "$1" = 1 ]; then printf ':%s' $kb_rc; else printf ':'; fi; }
kb_same() { [ "$(kb_ask "$1" "$3")" = "$2" ]; }
kb_hash() { [ "$(kb_ask "$1" "$3" | sha256sum)" = "$2  -" ]; }
kb_free() { [ -z "$kb_end" ]; }
kb_halt() { if [ -z "$kb_end" ]; then kb_end=$1; kb_mark "h $1 $2"; fi; }`;
}

/**
 * Sent once, when a shell is opened. Defines what later scripts call:
 * - `kb_run ID SCRIPT`: runs a question in a subshell of its own, framed, on whatever standard input it is given;
 *   `kb_act` the same for an action, with the lock left open (see `actions.ts`);
 * - `kb_same WITHCODE EXPECTED SCRIPT`, `kb_hash WITHCODE SHA256 SCRIPT`: asks again and compares;
 * - `kb_free`: whether to go on; `kb_halt TASK WHY`: stops before a task, once;
 * - `kb_sign busy`, `kb_sign idle`: a sign of life for others who want the lock;
 * - `kb_as USER`: runs the script on its standard input as another user.
 *
 * File descriptor 9 holds the host's lock. Children must not inherit it: a daemon started by an action would keep the
 * lock for as long as it lives.
 */
export function renderPrelude(nonce: string, lock: LockRequest | undefined): string {
  return `
${renderFunctions(nonce)}
${AS_FUNCTION}
${lock === undefined ? 'kb_sign() { :; }; kb_mark "r $$"' : renderLock(lock)}
`;
}

/**
 * From root's shell to any user without asking anybody: setpriv(1) is no login, so it runs no PAM session and sets no
 * limits of limits.conf(5). The script comes over a pipe or an unlinked file that only its reader has open.
 */
const AS_FUNCTION = `kb_as() {
  kb_uid=$(id -u -- "$1" 2>/dev/null) || { kb_mark "x there is no user $1"; return; }
  kb_own=$(id -u)
  if [ "$kb_own" = "$kb_uid" ]; then sh 9>&-
  elif [ "$kb_own" = 0 ] && command -v setpriv >/dev/null; then
    setpriv --reuid="$1" --regid="$(id -g -- "$1")" --init-groups --reset-env sh 9>&-
  elif [ "$kb_own" = 0 ]; then su -s /bin/sh "$1" -c 'exec sh' 9>&-
  elif sudo -n -u "$1" -- true 2>/dev/null </dev/null; then sudo -n -u "$1" -- sh 9>&-
  else kb_mark "x the shell on this host is that of $(id -un), which may not become $1 without a password"
  fi
}`;

/** A script that is run as another user, in a shell of that user's own inside the held one. */
export function renderAs(user: string, nonce: string, script: string): string {
  const end = `KB_AS_${nonce}`;
  return `kb_as ${quoteShell(user)} <<'${end}'\n${renderFunctions(nonce)}\n${script}\n${end}`;
}

/** The frame of what is asked while a shell is opened. */
export const GREETING = "g";

/** A question as the first thing that a shell says, before it has read anything. */
export function renderGreeting(nonce: string, script: string): string {
  return `KB_N='@@${nonce}'; kb_mark() { printf '\\n%s %s\\n' "$KB_N" "$1"; printf '\\n%s %s\\n' "$KB_N" "$1" >&2; }
kb_mark "b ${GREETING}"; ( ${script}
) </dev/null; kb_mark "e ${GREETING} $?"`;
}

/** Who asks for the host's lock, as others will be told. */
export interface LockRequest {
  readonly owner: string;
  /** Folder of the lock file on the host; /run/lock unless given. */
  readonly folder?: string;
  /** Seconds without a sign of life after which an idle holder's lock is broken: {@link LOCK_TTL_SECONDS} unless given. */
  readonly ttlSeconds?: number;
}

/** A holder gives a sign of life with each script, and while it has none every {@link LOCK_SIGN_MS}. */
export const LOCK_TTL_SECONDS = 300;
export const LOCK_SIGN_MS = 60_000;

/** Seconds for which an action is waited for that a run which is gone had begun. */
const ORPHAN_SECONDS = 600;

/**
 * An flock(2) on an open descriptor of the held shell: the kernel frees it when the shell is gone, however it went, and
 * what it had begun has ended. The file is no lock by itself; it says who holds it, by which process, since when and
 * whether it is at work, and the file's time is the holder's last sign of life.
 * - Where the shell that took it is gone and an action of it still runs, nobody is there to be disturbed: then it is
 *   waited for.
 * - Where the shell is there, idle, and has given no sign of life for the TTL, its controller has vanished and the
 *   network has not told it: that shell is ended. One that is at work never is.
 */
function renderLock(lock: LockRequest): string {
  const folder = quoteShell(lock.folder ?? "/run/lock");
  return `kb_lock=${folder}/keybuzz.lock; [ "$(id -u)" = 0 ] || kb_lock=${folder}/keybuzz-$(id -u).lock
kb_owner=${quoteShell(lock.owner)}
# Where everybody may make files, this one may be somebody else's, or lead somewhere.
if [ -L "$kb_lock" ] || { [ -e "$kb_lock" ] && [ ! -O "$kb_lock" ]; }; then kb_mark "r locked 0 0 0 nobody: $kb_lock is not this user's own file"; exit 0; fi
if ! ( : >>"$kb_lock" ) 2>/dev/null; then kb_mark "r locked 0 0 0 nobody: $kb_lock cannot be written"; exit 0; fi
kb_lock=$(readlink -f -- "$kb_lock"); exec 9>>"$kb_lock"
kb_looks=0
until flock -n 9; do
  kb_who=; kb_pid=; kb_since=; kb_doing=
  { read -r kb_who && read -r kb_pid && read -r kb_since && read -r kb_doing; } <"$kb_lock" || :
  kb_now=$(date +%s); kb_silent=$(( kb_now - $(stat -c %Y "$kb_lock") )); kb_looks=$((kb_looks + 1))
  if [ -z "$kb_doing" ] && [ "$kb_looks" -le 3 ]; then sleep 1; continue; fi
  if [ "$kb_doing" = idle ] && [ "$kb_silent" -gt ${lock.ttlSeconds ?? LOCK_TTL_SECONDS} ] &&
    [ "$(readlink "/proc/$kb_pid/fd/9")" = "$kb_lock" ] && kill -KILL "$kb_pid"; then
    kb_mark "r broke $kb_silent $kb_who"; sleep 0.2; continue
  fi
  if [ -z "$kb_pid" ] || [ -d "/proc/$kb_pid" ] || [ "$kb_looks" -gt ${ORPHAN_SECONDS} ]; then
    kb_mark "r locked $(( kb_now - \${kb_since:-kb_now} )) $kb_silent \${kb_pid:-0} $kb_who"; exit 0
  fi
  kb_mark "r waits what $kb_who had begun still runs, though that run is gone"; sleep 1
done
kb_since=$(date +%s)
kb_sign() { printf '%s\\n%s\\n%s\\n%s\\n' "$kb_owner" $$ "$kb_since" "$1" >"$kb_lock"; }
kb_sign idle; kb_mark "r $$"`;
}

/** Framed run of a question's script; the shell never sees the script's own quotes as its own. */
export function renderRun(id: string, script: Script, how: "kb_run" | "kb_act" = "kb_run"): string {
  return `${renderInput(script.stdin)}${how} ${id} ${quoteShell(script.script.text)}${script.stdin === undefined ? " </dev/null" : ""}`;
}

/** Frames commands that are part of the script itself, and are done as a whole though its shell be gone. What they say is not told. */
export function renderAnswered(id: string, commands: string): string {
  return `kb_mark "b ${id}"; ( ${commands}\n) 2>/dev/null </dev/null; kb_rc=$?; kb_mark "e ${id} $kb_rc"; [ $kb_rc = 0 ]`;
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
export function renderInput(stdin: string | Secret | undefined): string {
  return stdin === undefined ? "" : `printf %s ${quoteShell(revealText(stdin))} | `;
}
