import { ensureHost } from "../ensure.ts";
import { isHandleable, type KbError, RefusedError, TasksFailedError } from "../errors.ts";
import type { TaskResult } from "../events.ts";
import type { Task } from "../module.ts";
import { type EnsureOptions, handlingOf, type ListRun, refuseTooMany } from "./lists.ts";
import { eachMember, type Host, type Member, type RunScope, takesPart } from "./member.ts";

/** Tasks that one host does for another. */
export type DelegatedTasks<V, W> = (host: Host<V>, on: Host<W>) => readonly Task[];

/** @internal One host that others work for. */
interface Served<V> {
  readonly member: Member<V>;
  /** What each of the others has to do for it. */
  readonly lists: readonly (readonly Task[])[];
  readonly results: TaskResult[];
  error: KbError | undefined;
}

/**
 * @internal Does work for members on other hosts: on each of those for one member after the other, side by side with the
 * others. A failure is the member's that the work was for.
 * @throws RefusedError where a host that is to work does not take part, or more failed than may; TasksFailedError
 */
export async function runDelegated<V, W>(
  scope: RunScope,
  members: readonly Member<V>[],
  workers: readonly Member<W>[],
  tasksFor: DelegatedTasks<V, W>,
  options: EnsureOptions,
): Promise<readonly ListRun<V>[]> {
  requireWorkers(workers);
  const served = await declare(scope, members, workers, tasksFor, options);
  if (scope.listing !== undefined) {
    for (const { lists } of served) {
      scope.listing.take(workers.map(({ host }, index) => ({ host: host.name, tasks: lists[index] ?? [] })));
    }
  } else {
    const places = new Map(workers.map((worker, index) => [worker, index]));
    await eachMember(scope, workers, async (worker) => {
      for (const one of served) await serve(scope, one, worker, one.lists[places.get(worker) ?? -1] ?? []);
    });
  }
  const lost = workers.find(({ session }) => session.error !== undefined);
  for (const one of served) {
    // Whether its work had been done there before is not worth a guess.
    if (lost !== undefined) one.error ??= workerLost(lost);
  }
  settle(scope, served, options);
  const runs = served.map(({ member, results, error }) => ({ member, results, failed: error !== undefined }));
  refuseTooMany(runs, options);
  return runs;
}

/** A list that cannot even be made is the failure of the host that it is for. */
async function declare<V, W>(
  scope: RunScope,
  members: readonly Member<V>[],
  workers: readonly Member<W>[],
  tasksFor: DelegatedTasks<V, W>,
  options: EnsureOptions,
): Promise<readonly Served<V>[]> {
  const declared = await eachMember(scope, members, async ({ host }) =>
    workers.map((worker) => tasksFor(host, worker.host)),
  );
  const chosen = scope.selection.choose(
    declared.flatMap((lists) => lists ?? workers.map(() => [])),
    options.tags ?? [],
  );
  return members.map((member, index) => ({
    member,
    lists: chosen.slice(index * workers.length, (index + 1) * workers.length),
    results: [],
    error: member.session.error,
  }));
}

async function serve<V, W>(scope: RunScope, one: Served<V>, worker: Member<W>, tasks: readonly Task[]): Promise<void> {
  if (one.error !== undefined || tasks.length === 0) return;
  const step = { task: tasks.map(({ name }) => name).join(", "), hosts: [worker.host.name] };
  if (scope.confirm !== undefined && !(await scope.confirm(step))) return;
  try {
    one.results.push(...(await ensureHost(worker.session, tasks, { ...scope, handled: "delegated" })));
  } catch (error) {
    if (!isHandleable(error)) throw error;
    worker.session.handle(error, "delegated");
    one.error = error;
  }
}

/** What becomes of the hosts that the work failed for. */
function settle<V>(scope: RunScope, served: readonly Served<V>[], options: EnsureOptions): void {
  const handled = handlingOf(options);
  const failures = served.flatMap(({ member, error }) =>
    error === undefined || error === member.session.error ? [] : [{ member, error }],
  );
  for (const { member, error } of failures) {
    if (scope.rehearsal !== undefined) continue;
    if (handled === undefined) member.session.fail(error);
    else member.session.handle(error, handled);
  }
  if (handled !== "rescued" || failures.length === 0) return;
  throw new TasksFailedError(failures.map(({ member, error }) => ({ host: member.host.name, error })));
}

function requireWorkers<W>(workers: readonly Member<W>[]): void {
  const missing = workers.filter((worker) => !takesPart(worker));
  if (missing.length === 0) return;
  const names = missing.map(({ host }) => host.name).join(", ");
  throw new RefusedError(`there is work to do on ${names} for other hosts, and ${names} cannot be used`, {
    detail: missing
      .map(({ host, session }) => `${host.name}: ${session.error?.message ?? "outside of --limit"}`)
      .join("\n"),
    hint: "name them in --limit too; nothing was done here",
  });
}

function workerLost<W>({ host, session }: Member<W>): RefusedError {
  return new RefusedError(`${host.name}, which works for this host, has left the run`, {
    detail: session.error?.message,
    hint: `mend ${host.name}, then run the same command again`,
  });
}
