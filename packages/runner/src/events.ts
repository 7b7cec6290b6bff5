import type { KbError } from "./errors.ts";
import type { Change } from "./state.ts";

/**
 * How a task ended on a host. Each finishes the sentence "`apt curl` was ...".
 * - `ok`: as wanted already, or proved (a gate);
 * - `changed`: brought in line, or in check mode: would be;
 * - `unknown`: check mode cannot know before an earlier change is made; the reason says which;
 * - `skipped`: a gate that can hold only after changes that check mode does not make;
 * - `failed`.
 */
export type Outcome = "ok" | "changed" | "unknown" | "skipped" | "failed";

export interface TaskResult {
  readonly host: string;
  readonly task: string;
  readonly module: string;
  readonly id: string;
  readonly outcome: Outcome;
  readonly changes: readonly Change[];
  /** Unified diff of the text behind the state; present with `--diff` where there is one. */
  readonly textDiff?: string;
  /** Why it is unknown, skipped or failed. */
  readonly reason?: string;
  /** Of a failure that does not take this host out of the run: what was to become of it. */
  readonly handled?: FailureHandling;
  readonly where?: string;
  /** Milliseconds spent on the host; 0 where it was answered in a batch. */
  readonly ms: number;
}

/**
 * What becomes of a failure that does not take its host out of the run:
 * - `rescued`: thrown to the playbook, which went on with the host;
 * - `ignored`: put up with;
 * - `delegated`: this host worked for another, which left the run.
 */
export type FailureHandling = "rescued" | "ignored" | "delegated";

/** Totals of one host. */
export interface HostRecap {
  readonly host: string;
  readonly ok: number;
  readonly changed: number;
  readonly unknown: number;
  readonly skipped: number;
  readonly failed: number;
  /** Failures that the playbook caught. */
  readonly rescued: number;
  /** Failures that the playbook puts up with. */
  readonly ignored: number;
  readonly unreachable: boolean;
  /** Questions and answers over the connection, each one network round trip; connecting is counted apart. */
  readonly roundTrips: number;
}

/** One line of a table that a playbook prints, as `verify` does. */
export interface TableRow {
  readonly cells: readonly string[];
  readonly status: "ok" | "warn" | "failed" | "skipped";
}

/** Everything that a run tells. All output, of every kind, is made from these; versioned by {@link EVENT_VERSION}. */
export type RunEvent =
  | {
      readonly type: "run-start";
      readonly version: number;
      readonly playbook: string;
      readonly mode: "check" | "apply";
      readonly hosts: readonly string[];
    }
  | { readonly type: "host-connected"; readonly host: string; readonly ms: number }
  | { readonly type: "host-unreachable"; readonly host: string; readonly error: KbError }
  /** A role, or a phase of one, begins. */
  | { readonly type: "phase"; readonly name: string; readonly hosts: readonly string[] }
  /** A batch of a rolling run begins, where there are several. */
  | {
      readonly type: "batch";
      /** What its hosts are grouped by; empty where they are one group. */
      readonly group: string;
      /** From 1. */
      readonly number: number;
      readonly of: number;
      readonly hosts: readonly string[];
    }
  | { readonly type: "task-start"; readonly host: string; readonly task: string }
  /** A piece of what a long action prints. */
  | { readonly type: "output"; readonly host: string; readonly task: string; readonly text: string }
  | { readonly type: "task-end"; readonly result: TaskResult }
  | { readonly type: "host-failed"; readonly host: string; readonly error: KbError }
  /** A failure that does not take its host out of the run: see {@link FailureHandling}. */
  | {
      readonly type: "failure-handled";
      readonly host: string;
      readonly handled: FailureHandling;
      readonly error: KbError;
    }
  /** The playbook itself stopped: a role refused, a quorum was missing, a defect. */
  | { readonly type: "run-failed"; readonly error: KbError }
  | { readonly type: "note"; readonly level: "info" | "warn"; readonly text: string; readonly host?: string }
  | {
      readonly type: "table";
      readonly title: string;
      readonly columns: readonly string[];
      readonly rows: readonly TableRow[];
    }
  | {
      readonly type: "run-end";
      readonly exitCode: number;
      readonly ms: number;
      readonly recap: readonly HostRecap[];
    };

/** Version of the shape of {@link RunEvent}; a field may be added without a new one. */
export const EVENT_VERSION = 1;

export type Emit = (event: RunEvent) => void;
