import { ensureHost } from "../ensure.ts";
import { isHandleable, type KbError, RefusedError, TasksFailedError } from "../errors.ts";
import type { FailureHandling, TaskResult } from "../events.ts";
import type { Task } from "../module.ts";
import { type HostCount, shareOf } from "./batches.ts";
import { eachMember, type Member, type RunScope } from "./member.ts";
import { planSteps } from "./steps.ts";

/** How lists of tasks are carried out on many hosts, and what a failure means. */
export interface EnsureOptions {
  /**
   * Each host at its own pace, its whole list in as few round trips as it takes (`free`, unless given); or all hosts a
   * task at a time, one round trip each at least (`linear`): no host begins a task before all are done with the last.
   */
  readonly strategy?: "free" | "linear";
  /**
   * What becomes of a host that fails: it leaves the run (`leave`, unless given), it stays and the failure is thrown to
   * the caller as a {@link TasksFailedError} when all hosts are done (`throw`), or it stays and the caller finds it in
   * `failed` (`ignore`). A host that cannot be reached always leaves.
   */
  readonly onFailure?: "leave" | "throw" | "ignore";
  /**
   * Failed hosts, of those that begin, that the playbook goes on with; any number unless given. Looked at when all hosts
   * are done with the list, or, in `linear`, with the task.
   */
  readonly maxFailures?: HostCount;
  /** The same as `maxFailures: 0`. */
  readonly anyErrorsFatal?: boolean;
  /** Tags of all these tasks, beside their own. */
  readonly tags?: readonly string[];
}

/** @internal What lists did on each member, in the order of the members. */
export interface ListRun<V> {
  readonly member: Member<V>;
  readonly results: readonly TaskResult[];
  readonly failed: boolean;
}

/** One member on its way through its list. */
interface Going<V> {
  readonly member: Member<V>;
  readonly results: TaskResult[];
  failed: boolean;
}

/**
 * @internal Carries out lists on members side by side.
 * @throws TasksFailedError with `onFailure: "throw"`; RefusedError where more failed than may
 */
export async function runLists<V>(
  scope: RunScope,
  members: readonly Member<V>[],
  listFor: (member: Member<V>) => readonly Task[],
  options: EnsureOptions,
): Promise<readonly ListRun<V>[]> {
  const declared = await eachDeclared(scope, members, listFor);
  const lists = scope.selection.choose(
    declared.map((tasks) => tasks ?? []),
    options.tags ?? [],
  );
  const going = members.map(
    (member, index): Going<V> => ({ member, results: [], failed: declared[index] === undefined }),
  );
  if (scope.listing !== undefined) {
    scope.listing.take(members.map(({ host }, index) => ({ host: host.name, tasks: lists[index] ?? [] })));
    return going;
  }
  const caught: { host: string; error: KbError }[] = [];
  for (const round of roundsOf(lists, scope, options)) {
    const part = round.flatMap(({ list, tasks }) => {
      const one = going[list];
      return one === undefined || one.failed || tasks.length === 0 ? [] : [{ one, tasks }];
    });
    if (!(await allowed(scope, part))) continue;
    caught.push(...(await runRound(scope, part, options)));
    refuseTooMany(going, options);
  }
  if (options.onFailure === "throw" && caught.length > 0) throw new TasksFailedError(caught);
  return going;
}

/** A list that cannot even be made is that host's failure. */
function eachDeclared<V>(
  scope: RunScope,
  members: readonly Member<V>[],
  listFor: (member: Member<V>) => readonly Task[],
): Promise<readonly (readonly Task[] | undefined)[]> {
  return eachMember(scope, members, async (member) => listFor(member));
}

type Round = readonly { readonly list: number; readonly tasks: readonly Task[] }[];

function roundsOf(lists: readonly (readonly Task[])[], scope: RunScope, { strategy }: EnsureOptions): readonly Round[] {
  // Who is asked about each task wants to see what it did before the next question.
  if (strategy === "linear" || scope.confirm !== undefined) {
    return planSteps(lists).map((step) => step.map(({ list, task }) => ({ list, tasks: [task] })));
  }
  return [lists.map((tasks, list) => ({ list, tasks }))];
}

async function allowed<V>(
  { confirm }: RunScope,
  part: readonly { readonly one: Going<V>; readonly tasks: readonly Task[] }[],
): Promise<boolean> {
  if (part.length === 0) return false;
  if (confirm === undefined) return true;
  const names = new Set(part.flatMap(({ tasks }) => tasks.map(({ name }) => name)));
  return confirm({ task: [...names].join(", "), hosts: part.map(({ one }) => one.member.host.name) });
}

async function runRound<V>(
  scope: RunScope,
  part: readonly { readonly one: Going<V>; readonly tasks: readonly Task[] }[],
  options: EnsureOptions,
): Promise<readonly { readonly host: string; readonly error: KbError }[]> {
  const handled = handlingOf(options);
  const caught: { host: string; error: KbError }[] = [];
  const tasksOf = new Map(part.map(({ one, tasks }) => [one.member, tasks]));
  const results = await eachMember(
    scope,
    part.map(({ one }) => one.member),
    async (member) => {
      try {
        return await ensureHost(member.session, tasksOf.get(member) ?? [], { ...scope, handled });
      } catch (error) {
        if (handled === undefined || !isHandleable(error)) throw error;
        member.session.handle(error, handled);
        caught.push({ host: member.host.name, error });
        return undefined;
      }
    },
  );
  for (const [index, { one }] of part.entries()) {
    one.results.push(...(results[index] ?? []));
    one.failed ||= results[index] === undefined;
  }
  return caught;
}

/** @internal What an error that a playbook does not want to be final is to events and counts. */
export function handlingOf({ onFailure }: EnsureOptions): FailureHandling | undefined {
  if (onFailure === "throw") return "rescued";
  return onFailure === "ignore" ? "ignored" : undefined;
}

/** @internal @throws RefusedError */
export function refuseTooMany(
  runs: readonly { readonly member: { readonly host: { readonly name: string } }; readonly failed: boolean }[],
  { maxFailures, anyErrorsFatal }: EnsureOptions,
): void {
  const failed = runs.filter((run) => run.failed);
  const limit = anyErrorsFatal === true ? 0 : maxFailures;
  if (limit === undefined || failed.length <= shareOf(limit, runs.length)) return;
  const may = shareOf(limit, runs.length);
  const names = failed.map(({ member }) => member.host.name).join(", ");
  throw new RefusedError(`stopped: ${names} failed${may === 0 ? "" : `, and ${may} of ${runs.length} may`}`, {
    hint: "mend what is named above, then run the same command again",
  });
}
