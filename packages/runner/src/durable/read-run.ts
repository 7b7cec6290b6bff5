import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import type { RunEvent } from "../events.ts";
import { parseEvent } from "./event-schema.ts";
import { EVENTS_FILE, RECORD_FILE } from "./journal.ts";
import { isRunId } from "./run-id.ts";
import { type RunRecord, runRecordSchema } from "./run-record.ts";
import { isRunning } from "./this-process.ts";

/** How many runs are kept. */
export const KEPT_RUNS = 100;

/** A run that is not there, or cannot be read. */
export class RunNotFoundError extends UsageError {
  readonly code = "run";
}

/** Whether a run goes on: `died` is one whose process is gone, `unknown` one that another machine started. */
export type RunState = "ended" | "running" | "died" | "unknown";

/** Names of the runs below a folder, the newest first. */
export function listRuns(runs: string): readonly string[] {
  try {
    return readdirSync(runs).filter(isRunId).toSorted().toReversed();
  } catch {
    return [];
  }
}

/**
 * The run that a name stands for: a whole one, a beginning that only one has, or `last`.
 * @throws RunNotFoundError
 */
export function findRun(runs: string, name: string): string {
  const known = listRuns(runs);
  const [newest] = known;
  const found = name === "last" ? known.slice(0, 1) : known.filter((id) => id.startsWith(name));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new RunNotFoundError(only === undefined ? `there is no run ${name}` : `several runs begin with ${name}`, {
    detail: only === undefined ? `looked in ${runs}` : found.slice(0, 10).join("\n"),
    hint: newest === undefined ? "start kb in the folder that the run was started in" : "kb runs lists them",
  });
}

/** What is known of a run besides its events. @throws RunNotFoundError for a damaged one, or one of another kb */
export function readRecord(runs: string, id: string): RunRecord {
  const path = join(runs, id, RECORD_FILE);
  try {
    return runRecordSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new RunNotFoundError(`the run ${id} cannot be read`, {
      detail: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: "was it recorded by another version of kb?",
      cause,
    });
  }
}

/** A run's events, in their order. A torn last line, as a crash leaves it, and kinds that came later are passed over. */
export function readEvents(runs: string, id: string): readonly RunEvent[] {
  const text = readFileSync(join(runs, id, EVENTS_FILE), "utf8");
  return text.split("\n").flatMap((line) => parseEvent(line) ?? []);
}

export function stateOf(record: RunRecord): RunState {
  if (record.endedAt !== null) return "ended";
  const running = isRunning(record.process);
  return running === undefined ? "unknown" : running ? "running" : "died";
}

/** Removes all runs but the newest {@link KEPT_RUNS}; one that still goes on stays. */
export function pruneRuns(runs: string, kept: number = KEPT_RUNS): void {
  for (const id of listRuns(runs).slice(kept)) {
    if (!isGoingOn(runs, id)) rmSync(join(runs, id), { recursive: true, force: true });
  }
}

function isGoingOn(runs: string, id: string): boolean {
  try {
    return stateOf(readRecord(runs, id)) === "running";
  } catch {
    return false;
  }
}
