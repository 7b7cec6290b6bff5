import { AsyncLocalStorage } from "node:async_hooks";
import { PlaybookError } from "../errors.ts";
import { suggest } from "../inventory/inventory.ts";
import type { Task } from "../module.ts";
import { isSelected, joinTags, RESERVED_TAGS, type TagFilter } from "./tags.ts";

/** Which of a playbook's tasks are carried out. */
export interface TaskSelection extends TagFilter {
  /** Name of the task to begin at; `*` stands for any text. */
  readonly startAt?: string;
}

/** Chooses among the tasks that a playbook declares, list by list as they come. */
export class Selection {
  readonly #given: TaskSelection;
  readonly #phase = new AsyncLocalStorage<readonly string[]>();
  /** Names of the tasks before the one to begin at, for those who misspelt it. */
  readonly #passed = new Set<string>();
  /** All tags that were declared. */
  readonly #seen = new Set<string>();
  #started: boolean;

  constructor(given: TaskSelection = {}) {
    this.#given = given;
    this.#started = given.startAt === undefined;
  }

  /** Runs a procedure all of whose tasks get these tags, whatever goes on beside it. */
  within<T>(tags: readonly string[], procedure: () => Promise<T>): Promise<T> {
    return this.#phase.run(joinTags(this.#phase.getStore(), tags), procedure);
  }

  /** Whether a part whose tasks all have these tags is left out as a whole, whatever other tags they have. */
  leavesOut(tags: readonly string[]): boolean {
    const { skip = [] } = this.#given;
    for (const tag of tags) this.#seen.add(tag);
    return tags.some((tag) => skip.includes(tag)) || (tags.length > 0 && skip.includes("tagged"));
  }

  /**
   * What of the hosts' lists is to be carried out. The first list that has the task to begin at begins there, and all
   * that follow are taken whole; in that one, hosts without that task are passed over.
   */
  choose(lists: readonly (readonly Task[])[], tags: readonly string[]): readonly (readonly Task[])[] {
    const inherited = joinTags(this.#phase.getStore(), tags);
    const begun = this.#begin(lists);
    return begun.map((tasks) => {
      const full =
        inherited.length === 0 ? tasks : tasks.map((task) => ({ ...task, tags: joinTags(task.tags, inherited) }));
      for (const tag of full.flatMap((task) => task.tags ?? [])) this.#seen.add(tag);
      return full.filter((task) => isSelected(task.tags ?? [], this.#given));
    });
  }

  #begin(lists: readonly (readonly Task[])[]): readonly (readonly Task[])[] {
    const { startAt } = this.#given;
    if (this.#started || startAt === undefined) return lists;
    const begins = lists.map((tasks) => tasks.findIndex(({ name }) => fits(name, startAt)));
    this.#started = begins.some((index) => index >= 0);
    return lists.map((tasks, list) => {
      const index = begins[list] ?? -1;
      for (const { name } of index < 0 ? tasks : tasks.slice(0, index)) this.#passed.add(name);
      return index < 0 ? [] : tasks.slice(index);
    });
  }

  /** What is wrong with the tags that are asked for, where nothing has one of them: a slip of the pen, most likely. */
  get unknownTags(): readonly string[] {
    const { only = [], skip = [] } = this.#given;
    const unknown = [...only, ...skip].filter((tag) => !this.#seen.has(tag) && !RESERVED_TAGS.includes(tag));
    return [...new Set(unknown)].map((tag) => `no task is tagged "${tag}": ${suggest(tag, this.#seen)}`);
  }

  /** @throws PlaybookError where the task to begin at never came: nothing was done then */
  requireStarted(): void {
    if (this.#started) return;
    throw new PlaybookError(`no task is named "${this.#given.startAt}", so nothing was done`, {
      hint: suggest(this.#given.startAt ?? "", this.#passed) ?? "--list-tasks shows their names",
    });
  }
}

function fits(name: string, pattern: string): boolean {
  const expression = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${expression.join(".*")}$`, "s").test(name);
}
