import { randomBytes } from "node:crypto";
import { type Action, type ExecAction, GIVE_UP, type RetryAction, type WaitAction } from "../action.ts";
import { PLACE_FUNCTIONS } from "../place.ts";
import type { Script } from "../probe.ts";
import { Sh, sh, shLines } from "../sh.ts";
import { renderDetached } from "./detach.ts";
import { renderInput } from "./render.ts";
import { renderContent, renderWrite } from "./write.ts";

/** Longest time for an action that names none, in milliseconds: 10 minutes. */
export const ACTION_MS = 600_000;
/** A wait ends by itself; this is added for its last test and for what it prints then. */
const LAST_TEST_MS = 60_000;

/** Exit code of what the operator stopped. */
export const INTERRUPTED = 130;

/** An action as shell text. */
export interface RenderedAction {
  /** Lines that define what the script needs; empty where it needs nothing. */
  readonly define: string;
  readonly script: Script;
  /** The longest that it may take, in milliseconds; the host enforces it. */
  readonly timeoutMs: number;
  /** What it is, in a line for people. */
  readonly what: string;
}

/**
 * An action as a script. Descriptor 9, the host's lock, stays open in what watches over an action and is closed in the
 * action itself: an action that outlives the shell which began it keeps the lock to its end, a daemon that it started
 * does not.
 */
export function renderAction(action: Action): RenderedAction {
  switch (action.kind) {
    case "exec":
      return renderExec(action);
    case "write": {
      const script = renderWrite({ action, content: "kb_c" });
      const define = renderContent("kb_c", action.content);
      return { define, script: { script }, timeoutMs: ACTION_MS, what: `write ${action.path}` };
    }
    case "wait": {
      const timeoutMs = action.timeoutMs + LAST_TEST_MS;
      return {
        define: "",
        script: { ...inputOf(action), script: renderWait(action) },
        timeoutMs,
        what: `wait for ${action.what}`,
      };
    }
    case "retry":
      return renderRetry(action);
  }
}

function renderExec(action: ExecAction): RenderedAction {
  const timeoutMs = action.timeoutMs ?? ACTION_MS;
  const script =
    action.detach === true ? renderDetached(action.script, timeoutMs) : withTimeout(action.script, timeoutMs);
  const what = action.what ?? firstLine(action.script);
  return { define: "", script: { ...inputOf(action), script }, timeoutMs, what };
}

function inputOf({ stdin }: ExecAction | WaitAction): Pick<Script, "stdin"> {
  return stdin === undefined ? {} : { stdin };
}

function firstLine(script: Sh): string {
  const text = script.text.replace(PLACE_FUNCTIONS.text, "");
  const lines = text.split("\n").map((line) => line.trim());
  const line = lines.find((text) => text !== "" && !text.startsWith("#")) ?? "";
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}

/**
 * The script comes over a descriptor, not as an argument, and leaves standard input free. timeout(1) makes a process
 * group of its own and ends all of it. Exit code 124 (or 137 after the grace time) says that it did.
 */
function withTimeout(script: Sh, timeoutMs: number): Sh {
  const end = `KB_${randomBytes(8).toString("hex")}`;
  return Sh.unsafe(
    `timeout -k 10 ${seconds(timeoutMs)} /bin/sh /dev/fd/3 3<<'${end}'\nexec 9>&-\n${script.text}\n${end}`,
  );
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

function renderWait(action: WaitAction): Sh {
  const limit = seconds(action.timeoutMs);
  const pause = ((action.intervalMs ?? 250) / 1000).toFixed(3);
  const read = action.stdin === undefined ? sh`kb_in=` : sh`kb_in=$(cat)`;
  return shLines([
    read,
    sh`kb_t() { printf %s "$kb_in" | ( exec 9>&-; ${action.until}`,
    sh`) ; }`,
    sh`kb_until=$(( $(date +%s) + ${limit} ))`,
    sh`until kb_out=$(kb_t 2>&1); do`,
    sh`  kb_code=$?`,
    sh`  if [ -e "$KB_STOP" ]; then echo ${`stopped waiting for ${action.what}, as asked`} >&2; exit ${INTERRUPTED}; fi`,
    // A sign of life, which nobody sees. Where the controller is gone, it ends the wait, and with it the host's lock.
    sh`  kb_mark t`,
    sh`  if [ "$kb_code" = ${GIVE_UP} ] || [ "$(date +%s)" -ge "$kb_until" ]; then`,
    sh`    if [ "$kb_code" = ${GIVE_UP} ]; then echo ${`gave up waiting for ${action.what}`}; else kb_code=124; echo ${`waited ${limit} s for ${action.what}`}; fi >&2`,
    sh`    printf '%s\n' "$kb_out" >&2`,
    sh`    ( exec 9>&-; ${action.onTimeout ?? sh`:`}`,
    sh`    ) >&2; exit "$kb_code"`,
    sh`  fi`,
    sh`  sleep ${pause}`,
    sh`done`,
  ]);
}

/** The actions of one try stand in a subshell, which the first that fails ends. */
function renderRetry({ actions, until, times, delayMs }: RetryAction): RenderedAction {
  const rendered = actions.map(renderAction);
  const steps = rendered.map(({ define, script }) =>
    Sh.unsafe(`${define}\n${renderInput(script.stdin)}( ${script.script.text}\n) || exit`),
  );
  const proof = until === undefined ? [] : [sh`( exec 9>&-; ${until}`, sh`) </dev/null || exit`];
  const script = shLines([
    sh`kb_try=1`,
    sh`until (`,
    ...steps,
    ...proof,
    sh`); do`,
    sh`  kb_code=$?`,
    sh`  [ "$kb_code" != ${INTERRUPTED} ] && [ ! -e "$KB_STOP" ] || exit ${INTERRUPTED}`,
    sh`  if [ "$kb_try" -ge ${times} ]; then echo ${`that was try ${times} of ${times}`} >&2; exit "$kb_code"; fi`,
    sh`  echo "try $kb_try of "${times}" ended with exit code $kb_code" >&2`,
    sh`  kb_mark t; sleep ${(delayMs / 1000).toFixed(3)}; kb_try=$((kb_try + 1))`,
    sh`done`,
  ]);
  const oneTry = rendered.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
  const what = rendered.map((one) => one.what).join("; ");
  return { define: "", script: { script }, timeoutMs: times * (oneTry + delayMs), what };
}
