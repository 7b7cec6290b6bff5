import type { Judgement } from "../engine/judge.ts";
import { type KbError, RefusedError } from "../errors.ts";
import type { Task } from "../module.ts";
import type { Overseer, Review } from "../overseer.ts";
import { differingFields, sameFields, taskKey } from "./compare-plans.ts";
import type { Digest } from "./digest.ts";
import { declaredBy, digestFields } from "./plan-recorder.ts";
import type { PlannedTask } from "./saved-plan.ts";

/**
 * Holds a run to a plan. On each host:
 * - what the plan does not have, or had nothing to do about, is not changed;
 * - a task that declares something else than planned does nothing;
 * - up to the first change, the host has to be what the plan was made from, and the actions those of the plan;
 * - after it, planned changes and what was unknown follow: from the ground that the changes before them made.
 */
export class PlanGuard implements Overseer {
  readonly #planned = new Map<string, PlannedTask[]>();
  readonly #digest: Digest;
  readonly #moved = new Set<string>();
  readonly #begun: boolean;

  /** @param begun whether a part of the plan was carried out by an earlier run */
  constructor(planned: readonly PlannedTask[], digest: Digest, begun: boolean) {
    for (const task of planned) {
      const key = taskKey(task);
      this.#planned.set(key, [...(this.#planned.get(key) ?? []), task]);
    }
    this.#digest = digest;
    this.#begun = begun;
  }

  list(host: string, tasks: readonly Task[]): Review {
    const planned = tasks.map((task) => this.#next(host, task));
    return (index, judgement) => {
      const task = tasks[index];
      // A gate proves or awaits, and changes nothing.
      if (task === undefined || task.gate || judgement.kind !== "act") return undefined;
      const text = this.#objection(host, task, planned[index], judgement);
      if (text === undefined) {
        this.#moved.add(host);
        return undefined;
      }
      return this.#refuse(host, task, text);
    };
  }

  /** The plan's task for this one: each occurrence once, the last again and again where a role asks for more. */
  #next(host: string, task: Task): PlannedTask | undefined {
    const list = this.#planned.get(taskKey({ host, module: task.module, id: task.id, task: task.name }));
    return list === undefined || list.length < 2 ? list?.[0] : list.shift();
  }

  #objection(
    host: string,
    task: Task,
    planned: PlannedTask | undefined,
    { assessment, actions }: Extract<Judgement, { kind: "act" }>,
  ): string | undefined {
    if (planned === undefined) return "the plan does not have this task";
    const declared = differingFields(planned.declared, declaredBy(task, this.#digest));
    if (declared !== undefined) return `it declares something else than the plan (${declared})`;
    if (planned.decision !== "act" && planned.decision !== "unknown") {
      return "the plan has nothing to do here, and the host is not as it was";
    }
    if (this.#begun || this.#moved.has(host)) return undefined;
    if (planned.decision === "unknown") return "it was to follow from a change that this host turned out not to need";
    if (!sameFields(planned.current, digestFields(assessment.current, this.#digest))) {
      return "the host is not as it was when the plan was made";
    }
    return planned.actions === this.#digest(actions) ? undefined : "what it would do is not what was planned";
  }

  #refuse(host: string, task: Task, text: string): KbError {
    return new RefusedError(`not as planned: ${text}`, {
      host,
      task: task.name,
      where: task.where,
      hint: "make a new plan: what was done so far is done, and it will show what is left",
    });
  }
}
