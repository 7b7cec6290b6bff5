import { type KbError, RefusedError } from "./errors.ts";
import type { TableRow, TaskResult } from "./events.ts";
import { HostFacts } from "./facts.ts";
import type { HostCount } from "./fleet/batches.ts";
import { runDelegated } from "./fleet/delegate.ts";
import { type EnsureOptions, type ListRun, runLists } from "./fleet/lists.ts";
import { eachMember, type ForHost, type Host, type Member, type RunScope, takesPart, tracked } from "./fleet/member.ts";
import { Rolling } from "./fleet/rolling.ts";
import { type GroupBy, groupOf, type SerialRules } from "./fleet/rules.ts";
import { joinTags, requireTags } from "./fleet/tags.ts";
import type { Task } from "./module.ts";
import type { Probe } from "./probe.ts";

export type { Host };

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

/**
 * A set of hosts. Work on it goes on at all of them at once, each at its own pace, and is over when the last is.
 *
 * A host that fails, or cannot be reached, leaves the run: the others go on, and later work passes it over. A role that
 * needs all of them says so with {@link requireAll}.
 */
export class Hosts<V> implements Iterable<Host<V>> {
  readonly #members: readonly Member<V>[];
  readonly #scope: RunScope;
  readonly #options: EnsureOptions;

  /** @internal Playbooks are given theirs. */
  constructor(members: readonly Member<V>[], scope: RunScope, options: EnsureOptions = {}) {
    this.#members = members;
    this.#scope = scope;
    this.#options = options;
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
    return this.#of(this.#members.filter(({ host }) => test(host)));
  }

  /**
   * The first host that takes part; of each group with `per`, a var or a function of the host. For work whose result is
   * there for all: `await hosts.once({ per: "cluster" }).ensure([mysqlDatabase({ ... })])`.
   */
  once({ per }: { readonly per?: GroupBy<V> } = {}): Hosts<V> {
    const first = Map.groupBy(this.#taking, ({ host }) => groupOf(host, per));
    return this.#of([...first.values()].flatMap((members) => members.slice(0, 1)));
  }

  /**
   * The same hosts, with other options for all that is done with them: `role(hosts.with({ tags: ["db"] }), params)`.
   * Tags add up.
   */
  with(options: EnsureOptions): Hosts<V> {
    return new Hosts(this.#members, this.#scope, this.#joined(options));
  }

  /**
   * The same hosts, taken in batches: `await hosts.serial(1).ensure(tasks)`, or with health gates, a floor of healthy
   * hosts and budgets of failures, `await hosts.serial({ ... }).each(async (batch) => { ... })`.
   * @throws ParamsError for counts that mean nothing
   */
  serial(rules: SerialRules<V> | HostCount = {}): Rolling<V> {
    const given = typeof rules === "object" ? rules : { max: rules };
    return new Rolling(this.#members, this.#scope, given, { of: (members) => this.#of(members) });
  }

  /**
   * Brings the hosts to what a list of tasks declares; in check mode, tells what that would change. Hosts that fail
   * leave the run, and nothing is thrown for them, unless the options say otherwise.
   * @throws TasksFailedError with `onFailure: "throw"`; RefusedError where more failed than may
   */
  async ensure(tasks: ForHost<V, readonly Task[]>, options: EnsureOptions = {}): Promise<EnsureResult> {
    return tracked(this.#scope, "ensure", this.#members, async () => {
      const listFor = ({ host }: Member<V>): readonly Task[] => (typeof tasks === "function" ? tasks(host) : tasks);
      return this.#resultOf(await runLists(this.#scope, this.#taking, listFor, this.#joined(options)));
    });
  }

  /**
   * Has work for each of these hosts done on others, or on the controller: `await nodes.delegate(proxies, (node) =>
   * [...])`. It is done for one host after the other, on all of `to` side by side, all of which have to take part. Where
   * it fails, the host that it was for has failed.
   * @throws RefusedError where one of `to` is outside of the limit or has left the run; else as {@link ensure}
   */
  async delegate<W>(
    to: Hosts<W>,
    tasks: (host: Host<V>, on: Host<W>) => readonly Task[],
    options: EnsureOptions = {},
  ): Promise<EnsureResult> {
    return tracked(this.#scope, "delegate", this.#members, async () =>
      this.#resultOf(
        // Who the work is done as is for those to say who do it.
        await runDelegated(
          { ...this.#scope, user: to.#scope.user },
          this.#taking,
          to.#members,
          tasks,
          this.#joined(options),
        ),
      ),
    );
  }

  /** Asks a question. Hosts that cannot answer leave the run, and are missing in the answers. */
  async probe<T>(question: ForHost<V, Probe<T>>): Promise<readonly HostAnswer<V, T>[]> {
    return tracked(this.#scope, "probe", this.#members, () => this.#ask(this.#taking, question));
  }

  /** {@link probe} of all hosts of the group, `--limit` or not: to decide about a cluster, all of it has to be seen. */
  async probeDeclared<T>(question: ForHost<V, Probe<T>>): Promise<readonly HostAnswer<V, T>[]> {
    return tracked(this.#scope, "probe", this.#members, () =>
      this.#ask(
        this.#members.filter(({ session }) => session.error === undefined),
        question,
      ),
    );
  }

  /**
   * The same hosts, worked on and asked as another user of theirs: `hosts.as("frappe").ensure([...])`. The held shell
   * becomes that user, which takes no password where it is root's, and no connection or round trip of its own.
   */
  as(user: string): Hosts<V> {
    return new Hosts(this.#members, { ...this.#scope, user }, this.#options);
  }

  /**
   * What the hosts are, asked once a run. Asked before anything else it is answered while the connection is made: facts and
   * a list of tasks made from them cost one round trip together. Hosts that cannot answer leave the run.
   */
  async facts(): Promise<HostFacts> {
    return tracked(this.#scope, "facts", this.#members, async () => {
      this.#scope.rehearsal?.ask("it needs the facts of hosts");
      const answers = await eachMember(this.#scope, this.#taking, async ({ host, session }) => {
        return [host.name, await session.facts()] as const;
      });
      return new HostFacts(answers.filter((answer) => answer !== undefined));
    });
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
    return this.#members.filter(takesPart);
  }

  #joined(options: EnsureOptions): EnsureOptions {
    requireTags(options.tags ?? []);
    return { ...this.#options, ...options, tags: joinTags(this.#options.tags, options.tags) };
  }

  #resultOf(runs: readonly ListRun<V>[]): EnsureResult {
    if (this.#scope.rehearsal !== undefined) return this.#scope.rehearsal.result;
    const names = (of: typeof runs): readonly string[] => of.map(({ member }) => member.host.name);
    return {
      results: runs.flatMap(({ results }) => results),
      changed: names(runs.filter(({ results }) => results.some(({ outcome }) => outcome === "changed"))),
      failed: names(runs.filter(({ failed }) => failed)),
    };
  }

  #of(members: readonly Member<V>[]): Hosts<V> {
    return new Hosts(members, this.#scope, this.#options);
  }

  async #ask<T>(members: readonly Member<V>[], question: ForHost<V, Probe<T>>): Promise<readonly HostAnswer<V, T>[]> {
    this.#scope.rehearsal?.ask("it asks hosts, and goes on from what they answer");
    const answers = await eachMember(this.#scope, members, async ({ host, session }) => {
      const probe = typeof question === "function" ? question(host) : question;
      return { host, value: await session.question(probe, { user: this.#scope.user }) };
    });
    return answers.filter((answer) => answer !== undefined);
  }
}
