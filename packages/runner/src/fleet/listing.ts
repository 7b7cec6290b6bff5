import type { KbError } from "../errors.ts";
import type { Task } from "../module.ts";
import type { Playbook } from "../playbook.ts";
import { type PlayOptions, play } from "../run.ts";
import { planSteps } from "./steps.ts";

/** A task that a run would come to, with the hosts that it is declared for. */
export interface ListedTask {
  /** The phase that had begun last; empty before the first. */
  readonly phase: string;
  readonly task: string;
  readonly module: string;
  readonly tags: readonly string[];
  readonly hosts: readonly string[];
  /** `file:line` that declared it. */
  readonly where: string | undefined;
}

/** Takes the tasks that a playbook declares in place of carrying them out. */
export class TaskListing {
  readonly #tasks: ListedTask[] = [];
  /** The phase that has begun. */
  phase = "";

  /** @internal */
  take(lists: readonly { readonly host: string; readonly tasks: readonly Task[] }[]): void {
    for (const step of planSteps(lists.map(({ tasks }) => tasks))) {
      const [first] = step;
      if (first === undefined) continue;
      const byName = Map.groupBy(step, ({ task }) => task.name);
      for (const [task, same] of byName) {
        const { module, where, tags = [] } = same[0]?.task ?? first.task;
        const hosts = same.map(({ list }) => lists[list]?.host ?? "");
        this.#tasks.push({ phase: this.phase, task, module, tags, hosts, where });
      }
    }
  }

  get tasks(): readonly ListedTask[] {
    return this.#tasks;
  }
}

/** The tasks of a playbook, as far as it came. */
export interface TaskList {
  readonly tasks: readonly ListedTask[];
  /** 0 where it came to its end with every host that it asked. */
  readonly exitCode: number;
  /** Why the playbook itself stopped. */
  readonly error: KbError | undefined;
}

/**
 * The tasks that a run would come to, chosen by tags and limit as it would choose them. Nothing is changed, and no task's
 * own question is asked: a host is connected to only where the playbook itself asks it something and decides by the
 * answer. What such an answer would be after the changes of a run, is not known: it is taken as it is now.
 * @throws UsageError for input that does not fit, before any connection is made
 */
export async function listTasks(playbook: Playbook, options: Omit<PlayOptions, "mode" | "listing">): Promise<TaskList> {
  const listing = new TaskListing();
  const { exitCode, error } = await play(playbook, {
    ...options,
    mode: "check",
    listing,
    emit: (event) => {
      if (event.type === "phase") listing.phase = event.name;
      options.emit(event);
    },
  });
  return { tasks: listing.tasks, exitCode, error };
}
