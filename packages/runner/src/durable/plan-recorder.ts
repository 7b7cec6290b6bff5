import type { Judgement } from "../engine/judge.ts";
import type { Task } from "../module.ts";
import type { Overseer, Review } from "../overseer.ts";
import type { State } from "../state.ts";
import type { Digest } from "./digest.ts";
import type { FieldDigests, PlannedTask } from "./saved-plan.ts";

/** A task as a check just found it: what a plan keeps of it, and what it was made from. */
export interface FoundTask extends PlannedTask {
  readonly state: State | null;
}

/** Keeps what a check run decides about each task, in the order in which it does. */
export class PlanRecorder implements Overseer {
  readonly tasks: FoundTask[] = [];
  readonly #digest: Digest;

  constructor(digest: Digest) {
    this.#digest = digest;
  }

  list(host: string, tasks: readonly Task[]): Review {
    return (index, judgement) => {
      const task = tasks[index];
      if (task !== undefined) this.tasks.push(this.#found(host, task, judgement));
      return undefined;
    };
  }

  #found(host: string, task: Task, judgement: Judgement): FoundTask {
    const assessment = "assessment" in judgement ? judgement.assessment : undefined;
    return {
      host,
      task: task.name,
      module: task.module,
      id: task.id,
      ...(task.where === undefined ? {} : { where: task.where }),
      // A check decides at once: it has no "later".
      decision: judgement.kind === "later" ? "unknown" : judgement.kind,
      declared: declaredBy(task, this.#digest),
      current: digestFields(assessment?.current ?? null, this.#digest),
      wanted: digestFields(assessment?.wanted ?? null, this.#digest),
      actions: judgement.kind === "act" ? this.#digest(judgement.actions) : null,
      state: assessment?.current ?? null,
    };
  }
}

/** What a task declares whatever its host is like: what it wants of one that has nothing yet. */
export function declaredBy(task: Task, digest: Digest): FieldDigests {
  try {
    return digestFields(task.assess(null).wanted, digest);
  } catch (error) {
    // A module may refuse to begin from nothing. What it says then is all there is to compare.
    return { refusal: digest(String(error)) };
  }
}

export function digestFields(state: State | null, digest: Digest): FieldDigests {
  if (state === null) return null;
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, digest(value)]));
}
