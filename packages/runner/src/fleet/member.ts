import type pLimit from "p-limit";
import type { HostSession } from "../engine/session.ts";
import type { EnsureContext } from "../ensure.ts";
import { BugError, InterruptedError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { TaskListing } from "./listing.ts";
import type { Selection } from "./selection.ts";

/** A host as roles and playbooks see it: its name, address, groups, and its vars in the types of its schema. */
export interface Host<V> {
  readonly name: string;
  /** IP address or name that it is reached at. */
  readonly address: string;
  readonly groups: readonly string[];
  readonly vars: V;
}

/** The same for all hosts, or made for each. */
export type ForHost<V, T> = T | ((host: Host<V>) => T);

/** @internal One host of a run: what roles see, and what carries it out. */
export interface Member<V> {
  readonly host: Host<V>;
  readonly session: HostSession;
  /** False for a host that `--limit` leaves out: it may be asked, but not changed. */
  readonly chosen: boolean;
}

/** A task that is about to begin, with the hosts that it is declared for. */
export interface ConfirmRequest {
  readonly task: string;
  readonly hosts: readonly string[];
}

/** @internal What all hosts of a run share. */
export interface RunScope extends EnsureContext {
  readonly emit: Emit;
  readonly limit: ReturnType<typeof pLimit>;
  readonly interrupted: AbortSignal;
  /** Work that goes on, by what it is: awaited by a role, or forgotten. */
  readonly open: Map<string, Promise<unknown>>;
  /** Chooses among the tasks that are declared. */
  readonly selection: Selection;
  /** Takes the tasks in place of carrying them out. */
  readonly listing: TaskListing | undefined;
  /** Asks the operator whether a task is to be carried out. */
  readonly confirm: ((step: ConfirmRequest) => Promise<boolean>) | undefined;
  /** The end of the last work on each host: a host does one thing at a time, whoever asks. */
  readonly turns: Map<HostSession, Promise<unknown>>;
}

/** @internal Whether a host still takes part and may be changed. */
export function takesPart<V>({ chosen, session }: Member<V>): boolean {
  return chosen && session.error === undefined;
}

/**
 * @internal Runs work on members side by side; undefined for a host that failed in it and so left the run.
 * @throws InterruptedError where the operator has stopped the run; BugError
 */
export async function eachMember<V, T>(
  scope: RunScope,
  members: readonly Member<V>[],
  work: (member: Member<V>) => Promise<T>,
): Promise<readonly (T | undefined)[]> {
  refuseInterrupted(scope);
  return Promise.all(
    members.map((member) =>
      inTurn(scope, member.session, async () => {
        try {
          return await work(member);
        } catch (error) {
          if (scope.rehearsal !== undefined) {
            scope.rehearsal.fault(member.host.name, error);
            return undefined;
          }
          const known = member.session.fail(error);
          if (known instanceof BugError) throw known;
          return undefined;
        }
      }),
    ),
  );
}

/** @internal */
export function refuseInterrupted({ interrupted }: RunScope): void {
  if (!interrupted.aborted) return;
  throw new InterruptedError("stopped, as asked", { hint: "run the same command again" });
}

/** Two batches may both drain the same proxy: there the second waits for the first. A host that waits takes no fork. */
async function inTurn<T>(scope: RunScope, session: HostSession, work: () => Promise<T>): Promise<T> {
  const before = scope.turns.get(session) ?? Promise.resolve();
  const mine = before.then(() => scope.limit(work));
  scope.turns.set(
    session,
    mine.catch(() => {}),
  );
  return mine;
}

/** @internal Keeps work in mind while it goes on, so that a role that forgets to await it is found out. */
export async function tracked<V, T>(
  scope: RunScope,
  what: string,
  members: readonly Member<V>[],
  work: () => Promise<T>,
): Promise<T> {
  const token = `${what} on ${members.map(({ host }) => host.name).join(", ") || "no host"} #${Math.random()}`;
  const going = work();
  scope.open.set(token, going);
  try {
    return await going;
  } finally {
    scope.open.delete(token);
  }
}
