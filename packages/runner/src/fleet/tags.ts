import { BugError } from "../errors.ts";
import type { Task } from "../module.ts";

/** What of a playbook's tasks is asked for: the values of `--tags` and `--skip-tags`. */
export interface TagFilter {
  /** Unless given: all but `never`. */
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
}

/**
 * Gives tags to tasks, beside those that they have.
 *
 * ```ts
 * await hosts.ensure([apt({ name: "chrony" }), ...tagged(["config"], [template({ ... })])]);
 * ```
 *
 * `always` and `never` are as in Ansible: a task with `always` is left out only by `--skip-tags always`, one with `never`
 * is taken only where one of its tags is asked for.
 */
export function tagged(tags: readonly string[], tasks: readonly Task[]): readonly Task[] {
  requireTags(tags);
  return tasks.map((task) => ({ ...task, tags: joinTags(task.tags, tags) }));
}

/** @internal Without those that come twice. */
export function joinTags(...lists: readonly (readonly string[] | undefined)[]): readonly string[] {
  return [...new Set(lists.flatMap((tags) => tags ?? []))];
}

/** @internal @throws BugError for a tag that no command line could name, or that means something else there */
export function requireTags(tags: readonly string[]): void {
  const wrong = tags.find((tag) => !/^[A-Za-z0-9_][\w.:-]*$/.test(tag) || RESERVED_TAGS.includes(tag));
  if (wrong === undefined) return;
  throw new BugError(`"${wrong}" is no tag`, {
    hint: `letters, digits, _ . : and -, and none of ${RESERVED_TAGS.join(", ")}, which --tags knows`,
  });
}

/** @internal Words of `--tags` and `--skip-tags` that are no tags. */
export const RESERVED_TAGS: readonly string[] = ["all", "tagged", "untagged"];

/**
 * Whether a task of these tags is asked for. The rules are Ansible's, word for word.
 * @see https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_tags.html
 */
export function isSelected(tags: readonly string[], { only = ["all"], skip = [] }: TagFilter): boolean {
  return isWanted(tags, only) && !isSkipped(tags, skip);
}

function isWanted(tags: readonly string[], only: readonly string[]): boolean {
  if (tags.includes("always")) return true;
  if (only.includes("all") && !tags.includes("never")) return true;
  if (tags.some((tag) => only.includes(tag))) return true;
  if (tags.length === 0) return only.includes("untagged");
  return only.includes("tagged") && !tags.includes("never");
}

function isSkipped(tags: readonly string[], skip: readonly string[]): boolean {
  if (skip.includes("all")) return !tags.includes("always") || skip.includes("always");
  if (tags.some((tag) => skip.includes(tag))) return true;
  return skip.includes(tags.length === 0 ? "untagged" : "tagged");
}
