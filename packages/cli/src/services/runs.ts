import { EXIT, type KbError, type RunEvent } from "@keybuzz/runner";
import {
  findRun,
  listRuns,
  outcomeOfRun,
  type RunOutcome,
  type RunRecord,
  type RunState,
  readEvents,
  readRecord,
  stateOf,
} from "@keybuzz/runner/durable";
import { runsFolder } from "./runs-folder.ts";

/** A run as `kb runs` lists it. One whose record cannot be read has its name alone. */
export interface ListedRun {
  readonly id: string;
  readonly record: RunRecord | undefined;
  readonly state: RunState | "unreadable";
  /** How it ended, in a word or two. */
  readonly ended: string;
}

/** A run with all that its journal tells. */
export interface ShownRun extends ListedRun {
  readonly record: RunRecord;
  readonly events: readonly RunEvent[];
  readonly outcome: RunOutcome;
  /** Why it ended, as a sentence. */
  readonly why: string;
}

/** The recorded runs of a working directory, the newest first. */
export function viewRuns(directory: string): readonly ListedRun[] {
  const folder = runsFolder(directory);
  return listRuns(folder).map((id): ListedRun => {
    try {
      const record = readRecord(folder, id);
      const state = stateOf(record);
      return { id, record, state, ended: describeEnd(record, state) };
    } catch {
      return { id, record: undefined, state: "unreadable", ended: "unreadable" };
    }
  });
}

/** One recorded run. @throws RunNotFoundError */
export function viewRun(directory: string, name: string): ShownRun {
  const folder = runsFolder(directory);
  const id = findRun(folder, name);
  const record = readRecord(folder, id);
  const state = stateOf(record);
  const events = readEvents(folder, id);
  const outcome = outcomeOfRun(events);
  return {
    id,
    record,
    state,
    ended: describeEnd(record, state),
    events,
    outcome,
    why: explain(record, state, outcome),
  };
}

const ENDS: Readonly<Record<number, string>> = {
  [EXIT.converged]: "converged",
  [EXIT.hostFailed]: "failed",
  [EXIT.drift]: "drift",
  [EXIT.unreachable]: "unreachable",
  [EXIT.bug]: "defect of kb",
  [EXIT.interrupted]: "interrupted",
};

function describeEnd({ exitCode, mode }: RunRecord, state: RunState): string {
  if (exitCode === EXIT.converged && mode === "check") return "checked";
  if (exitCode !== null) return ENDS[exitCode] ?? `exit ${exitCode}`;
  return { running: "still running", died: "killed", unknown: "not ended here", ended: "ended" }[state];
}

function explain({ process, exitCode }: RunRecord, state: RunState, { hosts, error }: RunOutcome): string {
  const atWork = hosts.flatMap(({ host, at }) => (at === undefined ? [] : [`${host} was at ${at}`]));
  const where = atWork.length === 0 ? "" : `: ${atWork.join(", ")}`;
  if (state === "running") return `process ${process.pid} is still at it${where}`;
  if (state === "died") return `its process ${process.pid} was killed, or the machine went down${where}`;
  if (state === "unknown") return `it was started on ${process.host}, and had not ended when this was last written`;
  if (error !== undefined) return `the playbook stopped: ${describeError(error)}`;
  const bad = hosts.filter(({ outcome }) => outcome !== "done");
  if (bad.length === 0) return exitCode === EXIT.drift ? "it came to its end, and found drift" : "it came to its end";
  return bad
    .map(({ host, outcome, error: why }) => `${host} ${outcome}${why ? `: ${describeError(why)}` : ""}`)
    .join("; ");
}

function describeError({ message, place }: KbError): string {
  return place.task === undefined ? message : `${message} at ${place.task}`;
}

/** A run as `kb runs --json` has it. */
export function describeRun({ id, record, state, ended }: ListedRun) {
  return {
    id,
    state,
    ended,
    playbook: record?.playbook.name ?? null,
    mode: record?.mode ?? null,
    startedAt: record?.startedAt ?? null,
    endedAt: record?.endedAt ?? null,
    exitCode: record?.exitCode ?? null,
    resumes: record?.resumes ?? null,
    plan: record?.plan ?? null,
  };
}

/** A run as `kb runs show --json` has it. */
export function describeShownRun(run: ShownRun) {
  const { record, outcome, why } = run;
  const { key, ...known } = record;
  return {
    ...describeRun(run),
    why,
    record: known,
    error: outcome.error ?? null,
    hosts: outcome.hosts.map(({ host, outcome: became, changed, error, at }) => ({
      host,
      outcome: became,
      changed: changed.map(({ task, changes, where }) => ({ task, changes, where })),
      error: error ?? null,
      at: at ?? null,
    })),
  };
}
