import type { Task } from "../module.ts";

/** One task on the hosts that have it: the index of each host's list, with its task. */
export type Step = readonly { readonly list: number; readonly task: Task }[];

/**
 * The steps of several hosts' lists, for hosts that go forward together: a task of the same declaration is one step, and
 * hosts without it wait. Each host's tasks come once and in their order; where two hosts declare the same tasks in
 * opposite orders, one of the two becomes two steps.
 */
export function planSteps(lists: readonly (readonly Task[])[]): readonly Step[] {
  const rests = lists.map((tasks) => new Rest(tasks));
  const steps: Step[] = [];
  for (;;) {
    const heads = [...new Set(rests.flatMap(({ head }) => (head === undefined ? [] : [head])))];
    // A task that stands later in another host's list waits until that host comes to it.
    const key = heads.find((head) => rests.every((rest) => rest.head === head || !rest.has(head))) ?? heads[0];
    if (key === undefined) return steps;
    steps.push(
      rests.flatMap((rest, list) => {
        const task = rest.head === key ? rest.take() : undefined;
        return task === undefined ? [] : [{ list, task }];
      }),
    );
  }
}

/** What is left of one list. */
class Rest {
  readonly #tasks: readonly Task[];
  readonly #counts = new Map<string, number>();
  #next = 0;

  constructor(tasks: readonly Task[]) {
    this.#tasks = tasks;
    for (const task of tasks) this.#counts.set(keyOf(task), (this.#counts.get(keyOf(task)) ?? 0) + 1);
  }

  get head(): string | undefined {
    const task = this.#tasks[this.#next];
    return task === undefined ? undefined : keyOf(task);
  }

  has(key: string): boolean {
    return (this.#counts.get(key) ?? 0) > 0;
  }

  take(): Task | undefined {
    const task = this.#tasks[this.#next];
    if (task === undefined) return undefined;
    this.#next += 1;
    this.#counts.set(keyOf(task), (this.#counts.get(keyOf(task)) ?? 1) - 1);
    return task;
  }
}

/** Tasks of one declaration, whatever each host's params make of it. */
function keyOf({ module, where, id }: Task): string {
  return JSON.stringify(where === undefined ? [module, id] : [module, where]);
}
