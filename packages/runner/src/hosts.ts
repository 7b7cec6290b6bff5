import type pLimit from "p-limit";
import type { HostSession } from "./engine/session.ts";
import { type EnsureContext, ensureHost } from "./ensure.ts";
import { BugError, InterruptedError, type KbError, RefusedError } from "./errors.ts";
import type { Emit, TableRow, TaskResult } from "./events.ts";
import type { Task } from "./module.ts";
import type { Probe } from "./probe.ts";

/** A host as roles and playbooks see it: its name, address, groups, and its vars in the types of its schema. */
export interface Host<V> {
  readonly name: string;
  /** IP address or name that it is reached at. */
  readonly address: string;
  readonly groups: readonly string[];
  readonly vars: V;
}

/** What one list of tasks did, over hosts. */
export interface EnsureResult {
  readonly results: readonly TaskResult[];
  /** Hosts on which anything was changed, or in check mode would be. */
  readonly changed: readonly string[];
  /** Hosts that failed in this list. */
  readonly failed: readonly string[];
}

/** One host's answer. */
export interface HostAnswer<V, T> {
  readonly host: Host<V>;
  readonly value: T;
}

/** How `serial` goes through the hosts. */
export interface SerialOptions {
  /** Hosts at once in each batch; 1 unless given. */
  readonly max?: number;
}

type ForHost<V, T> = T | ((host: Host<V>) => T);

/** @internal One host of a run: what roles see, and what carries it out. */
export interface Member<V> {
  readonly host: Host<V>;
  readonly session: HostSession;
  /** False for a host that `--limit` leaves out: it may be asked, but not changed. */
  readonly chosen: boolean;
}

/** @internal What all hosts of a run share. */
export interface RunScope extends EnsureContext {
  readonly emit: Emit;
  readonly limit: ReturnType<typeof pLimit>;
  readonly interrupted: AbortSignal;
  /** Work that goes on, by what it is: awaited by a role, or forgotten. */
  readonly open: Map<string, Promise<unknown>>;
}

/**
 * A set of hosts. Work on it goes on at all of them at once, each at its own pace, and is over when the last is.
 *
 * A host that fails, or cannot be reached, leaves the run: the others go on, and later work passes it over. A role that
 * needs all of them says so with {@link requireAll}.
 */
export class Hosts<V> implements Iterable<Host<V>> {
  readonly #members: readonly Member<V>[];
  readonly #scope: RunScope;
  readonly #batch: number | undefined;

  /** @internal Playbooks are given theirs. */
  constructor(members: readonly Member<V>[], scope: RunScope, batch?: number) {
    this.#members = members;
    this.#scope = scope;
    this.#batch = batch;
  }

  /** The hosts that take part: chosen by `--limit` and not failed. */
  get live(): readonly Host<V>[] {
    return this.#taking.map(({ host }) => host);
  }

  /** Hosts that have left the run, with the reason. */
  get lost(): readonly { readonly host: Host<V>; readonly error: KbError }[] {
    return this.#members.flatMap(({ host, session }) =>
      session.error === undefined ? [] : [{ host, error: session.error }],
    );
  }

  /** All hosts of the group, those outside of `--limit` and failed ones included: who the members of a cluster are. */
  get declared(): readonly Host<V>[] {
    return this.#members.map(({ host }) => host);
  }

  [Symbol.iterator](): Iterator<Host<V>> {
    return this.live[Symbol.iterator]();
  }

  /** The hosts of this name, or of these. */
  only(...names: readonly string[]): Hosts<V> {
    return this.where((host) => names.includes(host.name));
  }

  /** The hosts that a test holds for. */
  where(test: (host: Host<V>) => boolean): Hosts<V> {
    return new Hosts(
      this.#members.filter(({ host }) => test(host)),
      this.#scope,
      this.#batch,
    );
  }

  /**
   * The same hosts, taken in batches, in order. A batch begins when the one before it has ended without a failure;
   * after a failure the rest is left as it is and the playbook stops.
   */
  serial(options: SerialOptions | number = {}): Hosts<V> {
    const max = typeof options === "number" ? options : (options.max ?? 1);
    if (!Number.isInteger(max) || max < 1) throw new BugError(`serial takes a whole number from 1, not ${max}`);
    return new Hosts(this.#members, this.#scope, max);
  }

  /**
   * Brings the hosts to what a list of tasks declares; in check mode, tells what that would change. Never rejects for
   * what happens on a host, except with `serial`: see there.
   */
  async ensure(tasks: ForHost<V, readonly Task[]>): Promise<EnsureResult> {
    return this.#tracked("ensure", async () => {
      const taking = this.#taking;
      const size = this.#batch ?? Math.max(1, taking.length);
      const done: EnsureResult[] = [];
      for (let start = 0; start < taking.length; start += size) {
        const batch = await this.#ensureBatch(taking.slice(start, start + size), tasks);
        done.push(batch);
        const left = taking.slice(start + size);
        if (this.#batch !== undefined && batch.failed.length > 0 && this.#scope.rehearsal === undefined) {
          throw new RefusedError(`stopped: ${batch.failed.join(", ")} failed`, {
            detail: left.length === 0 ? undefined : `left as they are: ${left.map(({ host }) => host.name).join(", ")}`,
            hint: "mend that host, then run the same command again",
          });
        }
      }
      if (this.#scope.rehearsal !== undefined) return this.#scope.rehearsal.result;
      return {
        results: done.flatMap(({ results }) => results),
        changed: done.flatMap(({ changed }) => changed),
        failed: done.flatMap(({ failed }) => failed),
      };
    });
  }

  /** Asks a question. Hosts that cannot answer leave the run, and are missing in the answers. */
  async probe<T>(question: ForHost<V, Probe<T>>): Promise<readonly HostAnswer<V, T>[]> {
    return this.#tracked("probe", () => this.#ask(this.#taking, question));
  }

  /** {@link probe} of all hosts of the group, `--limit` or not: to decide about a cluster, all of it has to be seen. */
  async probeDeclared<T>(question: ForHost<V, Probe<T>>): Promise<readonly HostAnswer<V, T>[]> {
    return this.#tracked("probe", () =>
      this.#ask(
        this.#members.filter(({ session }) => session.error === undefined),
        question,
      ),
    );
  }

  /** Tells the operator something that is no task. */
  note(text: string, level: "info" | "warn" = "info"): void {
    this.#scope.emit({ type: "note", level, text });
  }

  table(title: string, columns: readonly string[], rows: readonly TableRow[]): void {
    this.#scope.emit({ type: "table", title, columns, rows });
  }

  /**
   * Refuses to go on unless every declared host of the group still takes part.
   * @throws RefusedError that names the missing and why
   */
  requireAll(why: string): void {
    const { lost } = this;
    if (lost.length === 0) return;
    throw new RefusedError(`${why}, and ${lost.map(({ host }) => host.name).join(", ")} cannot be used`, {
      detail: lost.map(({ host, error }) => `${host.name}: ${error.message}`).join("\n"),
      hint: "mend what is named above, then run the same command again; nothing was done here",
    });
  }

  get #taking(): readonly Member<V>[] {
    return this.#members.filter(({ chosen, session }) => chosen && session.error === undefined);
  }

  async #ensureBatch(members: readonly Member<V>[], tasks: ForHost<V, readonly Task[]>): Promise<EnsureResult> {
    const results = await this.#each(members, async ({ host, session }) => {
      const list = typeof tasks === "function" ? tasks(host) : tasks;
      return ensureHost(session, list, this.#scope);
    });
    return {
      results: results.flatMap((result) => result ?? []),
      changed: members
        .filter((_, index) => results[index]?.some(({ outcome }) => outcome === "changed"))
        .map(({ host }) => host.name),
      failed: members.filter((_, index) => results[index] === undefined).map(({ host }) => host.name),
    };
  }

  async #ask<T>(members: readonly Member<V>[], question: ForHost<V, Probe<T>>): Promise<readonly HostAnswer<V, T>[]> {
    this.#scope.rehearsal?.ask("it asks hosts, and goes on from what they answer");
    const answers = await this.#each(members, async ({ host, session }) => {
      const probe = typeof question === "function" ? question(host) : question;
      return { host, value: await session.question(probe) };
    });
    return answers.filter((answer) => answer !== undefined);
  }

  /** Runs work on members side by side; undefined for a host that failed in it. */
  async #each<T>(members: readonly Member<V>[], work: (member: Member<V>) => Promise<T>): Promise<(T | undefined)[]> {
    if (this.#scope.interrupted.aborted)
      throw new InterruptedError("stopped, as asked", { hint: "run the same command again" });
    return Promise.all(
      members.map((member) =>
        this.#scope.limit(async () => {
          try {
            return await work(member);
          } catch (error) {
            if (this.#scope.rehearsal !== undefined) {
              this.#scope.rehearsal.fault(member.host.name, error);
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

  async #tracked<T>(what: string, work: () => Promise<T>): Promise<T> {
    const token = `${what} on ${this.#members.map(({ host }) => host.name).join(", ") || "no host"} #${Math.random()}`;
    const going = work();
    this.#scope.open.set(token, going);
    try {
      return await going;
    } finally {
      this.#scope.open.delete(token);
    }
  }
}
