import type { Secret } from "./secret.ts";
import type { Sh } from "./sh.ts";

/** A file's content. Bytes where it is no UTF-8 text. */
export type Content = string | Secret | Uint8Array;

/** Runs a script in a shell of its own. A non-zero exit code fails the task. */
export interface ExecAction {
  readonly kind: "exec";
  readonly script: Sh;
  readonly stdin?: string | Secret;
  /** Milliseconds, 600 000 (10 minutes) unless given. */
  readonly timeoutMs?: number;
  /** What errors call it: the command at the heart of a longer script. The script's first line unless given. */
  readonly what?: string;
  /**
   * Runs it as a job of its own that goes on when the connection is lost or `kb` is killed: a unit of systemd, or a session
   * of its own where systemd is not. The same action again waits for that job, or takes its result, and starts no second
   * one. What it prints is kept on the host, readable by its user alone, until the result is taken, once.
   */
  readonly detach?: true;
}

/**
 * Replaces a file as a whole: written beside its target with mode 0600, validated, owned, synced, then renamed over it.
 * The target's directory has to exist. A symbolic link at `path` is replaced, not followed.
 */
export interface WriteAction {
  readonly kind: "write";
  readonly path: string;
  readonly content: Content;
  /** Octal, as `"0644"`. */
  readonly mode: string;
  /** User name or number; unchanged (the connection's user) unless given. */
  readonly owner?: string;
  readonly group?: string;
  /** Run before the rename with the candidate's path in `$KB_FILE`; a non-zero exit code leaves the old file in place. */
  readonly validate?: Sh;
}

/** The exit code by which the test of a {@link WaitAction} says that it will never hold (sysexits.h, EX_UNAVAILABLE). */
export const GIVE_UP = 69;

/** Runs a test on the host, again and again, until it exits with 0, or gives up with {@link GIVE_UP}. */
export interface WaitAction {
  readonly kind: "wait";
  /** What is awaited, for the message when it does not come: "mariadbd to be Synced". */
  readonly what: string;
  readonly until: Sh;
  readonly stdin?: string | Secret;
  readonly timeoutMs: number;
  /** Pause between two tests in milliseconds, 250 unless given. */
  readonly intervalMs?: number;
  /** Printed when the time is over: what a person would look at. Its exit code does not matter. */
  readonly onTimeout?: Sh;
}

/** Carries out actions until all of them succeed and a test holds, a number of times at most. Made by `retry`. */
export interface RetryAction {
  readonly kind: "retry";
  readonly actions: readonly Action[];
  /** Tries in all, 2 or more. */
  readonly times: number;
  /** Pause between two tries in milliseconds. */
  readonly delayMs: number;
  /** Read-only test after the actions of a try: exits with 0 where it is good enough. */
  readonly until?: Sh;
}

/** All that can be done to a host. A new kind is a change to the engine. */
export type Action = ExecAction | WriteAction | WaitAction | RetryAction;

/** An action that runs a script. */
export function exec(script: Sh, options: Omit<ExecAction, "kind" | "script"> = {}): ExecAction {
  return { kind: "exec", script, ...options };
}
