import type { Action } from "../action.ts";
import { KbError, ProbeError, RefusedError } from "../errors.ts";
import { hintFor } from "../host-faults.ts";
import type { Assessment, Task } from "../module.ts";
import { Unmet } from "../probe.ts";
import type { State } from "../state.ts";
import { type RawAnswer, toOutputs } from "./compile.ts";
import type { HostSession } from "./session.ts";

/** What is to be done about one task, given an answer. */
export type Judgement =
  /** As wanted. */
  | { readonly kind: "ok"; readonly assessment: Assessment }
  /** To be changed by these actions; for a gate, to be awaited or proved. */
  | { readonly kind: "act"; readonly assessment: Assessment; readonly actions: readonly Action[] }
  /** Something that it needs is missing, and an earlier task of the list may bring it: ask again then. */
  | { readonly kind: "later"; readonly reason: string }
  /** Check mode cannot know. */
  | { readonly kind: "unknown"; readonly reason: string }
  /** A gate that can only hold after changes that check mode does not make. */
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "error"; readonly error: KbError };

type Reading = { readonly state: State | null } | { readonly unmet: Unmet } | { readonly error: KbError };

/** A task's reading of the answers; a `parse` that throws is an error that names host and task. */
export function read(session: HostSession, task: Task, answers: readonly RawAnswer[]): Reading {
  try {
    const state = task.probe.parse(toOutputs(answers));
    return state instanceof Unmet ? { unmet: state } : { state };
  } catch (cause) {
    return { error: probeError(session, task, answers, cause) };
  }
}

function probeError(session: HostSession, task: Task, answers: readonly RawAnswer[], cause: unknown): KbError {
  const place = { host: session.name, task: task.name, where: task.where };
  if (cause instanceof KbError && !(cause instanceof ProbeError)) return cause;
  const failed = answers.find(({ exitCode }) => exitCode !== 0);
  const said = failed?.stderr.toString("utf8").trim().slice(-1000);
  return new ProbeError(cause instanceof Error ? cause.message : String(cause), {
    ...place,
    detail: failed === undefined ? undefined : `exit ${failed.exitCode}${said ? `\n${said}` : ""}`,
    hint: hintFor(`${String(cause)}\n${said ?? ""}`),
    cause,
  });
}

function unmetError(session: HostSession, task: Task, unmet: Unmet): KbError {
  return new ProbeError(unmet.reason, {
    host: session.name,
    task: task.name,
    where: task.where,
    hint: unmet.hint ?? "nothing earlier in this play brings it: add the task that does, or run that playbook first",
  });
}

/** The judgement in apply mode: only what the host says now counts. */
export function judge(
  session: HostSession,
  task: Task,
  answers: readonly RawAnswer[],
  earlierActs: boolean,
): Judgement {
  const reading = read(session, task, answers);
  if ("error" in reading) return { kind: "error", error: reading.error };
  if ("unmet" in reading) {
    if (earlierActs) return { kind: "later", reason: reading.unmet.reason };
    return { kind: "error", error: unmetError(session, task, reading.unmet) };
  }
  return assess(session, task, reading.state);
}

/**
 * The judgement in check mode: what earlier tasks of the run would leave is taken into account, on this host by the
 * resources that they alter.
 *
 * @param pending whether any host has a change before it that check mode did not make
 */
export function foresee(session: HostSession, task: Task, now: readonly RawAnswer[], pending: boolean): Judgement {
  const reading = read(session, task, session.foresight.answersTo(task.probe, now));
  const onThisHost = session.predicted.size > 0;
  if ("error" in reading) {
    if (!onThisHost) return { kind: "error", error: reading.error };
    return { kind: "unknown", reason: `cannot be read before the changes above are made: ${reading.error.message}` };
  }
  if ("unmet" in reading && task.gate && pending) return { kind: "skipped", reason: reading.unmet.reason };
  if ("unmet" in reading && !onThisHost) return { kind: "error", error: unmetError(session, task, reading.unmet) };
  const earlier = session.predicted.get(task.touches[0] ?? "");
  const same = earlier?.module === task.module && earlier.id === task.id;
  const state = same ? earlier.state : "unmet" in reading ? null : reading.state;
  const foreseen = task.foresee(state, session.predicted);
  if (foreseen instanceof Unmet) return { kind: "unknown", reason: foreseen.reason };
  const judgement = assess(session, task, foreseen);
  if (!task.gate || judgement.kind !== "act") return judgement;
  const reason = pending
    ? "it is proved once the changes above are made"
    : "only a run without --check awaits or proves it";
  return { kind: "skipped", reason };
}

function assess(session: HostSession, task: Task, state: State | null): Judgement {
  try {
    const assessment = task.assess(state);
    if (!assessment.differs) return { kind: "ok", assessment };
    // Made now, so that a refusal comes before anything of the list is touched.
    return { kind: "act", assessment, actions: assessment.actions() };
  } catch (cause) {
    if (cause instanceof KbError) return { kind: "error", error: cause };
    const message = cause instanceof Error ? cause.message : String(cause);
    return {
      kind: "error",
      error: new RefusedError(message, { host: session.name, task: task.name, where: task.where, cause }),
    };
  }
}
