import type { Task } from "../module.ts";
import { type Review, reviewed } from "../overseer.ts";
import type { RawAnswer } from "./compile.ts";
import { Foresight } from "./foresight.ts";
import { type Judgement, judge } from "./judge.ts";
import type { HostSession } from "./session.ts";

/** A task with what was asked and decided, in the order of the list. */
export interface PlannedTask {
  readonly task: Task;
  /** What its questions have to answer when its turn comes: what they answered, or what earlier tasks will leave. */
  readonly answers: readonly RawAnswer[];
  /** Whether an earlier task of the list has to be done before these are the answers. */
  readonly foreseen: boolean;
  readonly judgement: Judgement;
}

/**
 * Decides on a whole list from one set of answers. What earlier tasks of the list will leave behind is taken for granted
 * here; the host checks it before it acts on it.
 */
export function planAll(
  session: HostSession,
  tasks: readonly Task[],
  answers: readonly (readonly RawAnswer[])[],
  review?: Review,
): readonly PlannedTask[] {
  const foresight = new Foresight();
  let earlierActs = false;
  return tasks.map((task, index) => {
    const planned = planOne(session, task, answers[index] ?? [], foresight, earlierActs);
    const judgement = reviewed(review, index, planned.judgement);
    if (judgement.kind === "act") foresight.expect(judgement.assessment);
    earlierActs ||= judgement.kind === "act" || judgement.kind === "later";
    return { ...planned, judgement };
  });
}

function planOne(
  session: HostSession,
  task: Task,
  now: readonly RawAnswer[],
  foresight: Foresight,
  earlierActs: boolean,
): PlannedTask {
  const then = foresight.answersTo(task.probe, now);
  const judgement = judge(session, task, then, earlierActs);
  if (then === now || judgement.kind !== "error") return { task, answers: then, foreseen: then !== now, judgement };
  // A refusal that follows from a guess is none: it is asked again when its turn comes.
  const reason = judgement.error.message;
  const today = judge(session, task, now, earlierActs);
  return { task, answers: now, foreseen: false, judgement: today.kind === "error" ? today : { kind: "later", reason } };
}
