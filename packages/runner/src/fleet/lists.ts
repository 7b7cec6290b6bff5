import { ensureHost } from "../ensure.ts";
import { isHandleable, type KbError, RefusedError, TasksFailedError } from "../errors.ts";
import type { FailureHandling, TaskResult } from "../events.ts";
import type { Task } from "../module.ts";
import { type HostCount, shareOf } from "./batches.ts";
import { eachMember, type Member, type RunScope } from "./member.ts";

/** How a list of tasks is carried out on many hosts, and what a failure means. */
export interface EnsureOptions {
  /**
   * What becomes of a host that fails: it leaves the run (`leave`, unless given), it stays and the failure is thrown to
   * the caller as a {@link TasksFailedError} when all hosts are done (`throw`), or it stays and the caller finds it in
   * `failed` (`ignore`). A host that cannot be reached always leaves.
   */
  readonly onFailure?: "leave" | "throw" | "ignore";
  /** Failed hosts, of those that begin, that the playbook goes on with; any number unless given. */
  readonly maxFailures?: HostCount;
  /** The same as `maxFailures: 0`. */
  readonly anyErrorsFatal?: boolean;
}

/** @internal What a list did on each member, in the order of the members. */
export interface ListRun<V> {
  readonly member: Member<V>;
  readonly results: readonly TaskResult[];
  readonly failed: boolean;
}

/**
 * @internal Carries out a list on members side by side.
 * @throws TasksFailedError with `onFailure: "throw"`; RefusedError where more failed than may
 */
export async function runLists<V>(
  scope: RunScope,
  members: readonly Member<V>[],
  listFor: (member: Member<V>) => readonly Task[],
  options: EnsureOptions,
): Promise<readonly ListRun<V>[]> {
  const handled = handlingOf(options);
  const caught: { host: string; error: KbError }[] = [];
  const runs = await eachMember(scope, members, async (member) => {
    try {
      return await ensureHost(member.session, listFor(member), { ...scope, handled });
    } catch (error) {
      if (handled === undefined || !isHandleable(error)) throw error;
      caught.push({ host: member.host.name, error });
      scope.emit({ type: "failure-handled", host: member.host.name, handled, error });
      return undefined;
    }
  });
  const ended = members.map((member, index) => ({
    member,
    results: runs[index] ?? [],
    failed: runs[index] === undefined,
  }));
  if (options.onFailure === "throw" && caught.length > 0) throw new TasksFailedError(caught);
  refuseTooMany(ended, options);
  return ended;
}

function handlingOf({ onFailure }: EnsureOptions): FailureHandling | undefined {
  if (onFailure === "throw") return "rescued";
  return onFailure === "ignore" ? "ignored" : undefined;
}

function refuseTooMany<V>(runs: readonly ListRun<V>[], { maxFailures, anyErrorsFatal }: EnsureOptions): void {
  const failed = runs.filter((run) => run.failed);
  const limit = anyErrorsFatal === true ? 0 : maxFailures;
  if (limit === undefined || failed.length <= shareOf(limit, runs.length)) return;
  const may = shareOf(limit, runs.length);
  const names = failed.map(({ member }) => member.host.name).join(", ");
  throw new RefusedError(`stopped: ${names} failed${may === 0 ? "" : `, and ${may} of ${runs.length} may`}`, {
    hint: "mend what is named above, then run the same command again",
  });
}
