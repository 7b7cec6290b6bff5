import { BugError, InterruptedError, KbError, RefusedError, TasksFailedError } from "../errors.ts";
import type { EnsureResult, Hosts } from "../hosts.ts";
import type { Task } from "../module.ts";
import { type GroupPlan, planBatches, shareOf } from "./batches.ts";
import { requireHealth } from "./health.ts";
import { type ForHost, type Member, type RunScope, refuseInterrupted, takesPart, tracked } from "./member.ts";
import { type Candidate, candidatesOf, checkRules, type SerialRules } from "./rules.ts";

/** Which batch it is. */
export interface BatchPlace {
  /** The value of `by`; empty without. */
  readonly group: string;
  /** From 1. */
  readonly number: number;
  /** How many batches its group has. */
  readonly of: number;
}

/** What is done with each batch. */
export type BatchProcedure<V> = (batch: Hosts<V>, place: BatchPlace) => Promise<void>;

const GATE_TIMEOUT_MS = 60_000;
const GATE_INTERVAL_MS = 500;

/** What the groups of one rolling run share. */
interface Progress {
  failed: number;
  /** Why no group begins another batch. */
  stop: string | undefined;
}

/** One group on its way. */
interface GroupRun<V> {
  readonly plan: GroupPlan;
  readonly candidates: readonly Candidate<V>[];
  /** Hosts whose batch has not begun. */
  left: readonly string[];
}

/** What the rules say of the run as a whole. */
type Policy = Omit<SerialRules<never>, "by" | "order" | "only" | "gate">;

/** Makes sets of hosts; as a method, so that a rolling run of more specific hosts is one of less specific ones. */
interface HostsMaker<V> {
  of(members: readonly Member<V>[]): Hosts<V>;
}

/**
 * Hosts taken in batches: each begins when the one before it has ended well. Health is asked before and after each, and
 * a floor of healthy hosts is never gone below.
 */
export class Rolling<V> {
  readonly #candidates: readonly Candidate<V>[];
  readonly #scope: RunScope;
  readonly #policy: Policy;
  readonly #hosts: HostsMaker<V>;

  /** @internal `hosts.serial` makes one. */
  constructor(members: readonly Member<V>[], scope: RunScope, rules: SerialRules<V>, hosts: HostsMaker<V>) {
    checkRules(rules);
    const { by, order, only, gate, ...policy } = rules;
    this.#candidates = candidatesOf(members, rules);
    this.#scope = scope;
    this.#policy = policy;
    this.#hosts = hosts;
  }

  /**
   * Brings the hosts to what a list of tasks declares, batch by batch.
   * @throws RefusedError that says which hosts failed or were not healthy, and which are left as they are
   */
  async ensure(tasks: ForHost<V, readonly Task[]>): Promise<EnsureResult> {
    const done: EnsureResult[] = [];
    await this.each(async (batch) => void done.push(await batch.ensure(tasks)));
    if (this.#scope.rehearsal !== undefined) return this.#scope.rehearsal.result;
    return {
      results: done.flatMap(({ results }) => results),
      changed: done.flatMap(({ changed }) => changed),
      failed: done.flatMap(({ failed }) => failed),
    };
  }

  /**
   * Carries out a procedure for each batch. It may work on other hosts as well: drain the batch on the proxies, say.
   * Hosts of the batch that fail in it count against the budgets; whatever else it throws stops its group.
   * @throws RefusedError as {@link ensure}; what the procedure threw
   */
  async each(procedure: BatchProcedure<V>): Promise<void> {
    await tracked(this.#scope, "serial", membersOf(this.#candidates), async () => {
      const progress: Progress = { failed: 0, stop: undefined };
      const ended = await Promise.allSettled(this.#groups().map((group) => this.#roll(group, progress, procedure)));
      const errors = ended.flatMap((end): unknown[] => (end.status === "rejected" ? [end.reason] : []));
      if (errors.length > 0) throw joinErrors(errors);
    });
  }

  #groups(): readonly GroupRun<V>[] {
    const planned = this.#candidates.map(({ member, group, meant }) => ({
      name: member.host.name,
      group,
      taking: meant && takesPart(member),
    }));
    const { max = 1, minHealthy } = this.#policy;
    return planBatches(planned, { max, minHealthy })
      .filter(({ batches }) => batches.length > 0)
      .map((plan) => ({
        plan,
        candidates: this.#candidates.filter(({ member }) => plan.members.includes(member.host.name)),
        left: plan.batches.flat(),
      }));
  }

  async #roll(group: GroupRun<V>, progress: Progress, procedure: BatchProcedure<V>): Promise<void> {
    const { plan, candidates } = group;
    for (const [index, names] of plan.batches.entries()) {
      const batch = membersOf(candidates).filter((member) => names.includes(member.host.name) && takesPart(member));
      if (batch.length === 0) continue;
      if (progress.stop !== undefined) throw stopped(group, progress.stop);
      const place = { group: plan.group, number: index + 1, of: plan.batches.length };
      try {
        await this.#take(group, batch, place, procedure);
      } catch (error) {
        const defect = !(error instanceof KbError) || error instanceof BugError;
        if (defect || this.#policy.anyErrorsFatal === true) progress.stop ??= `${nameOf(place)} did not end well`;
        throw error;
      }
      this.#account(group, batch, place, progress);
    }
  }

  async #take(
    group: GroupRun<V>,
    batch: readonly Member<V>[],
    place: BatchPlace,
    procedure: BatchProcedure<V>,
  ): Promise<void> {
    refuseInterrupted(this.#scope);
    await this.#requireHealth("before", group, batch, place);
    group.left = group.left.filter((name) => !batch.some(({ host }) => host.name === name));
    if (place.of > 1) this.#scope.emit({ type: "batch", ...place, hosts: batch.map(({ host }) => host.name) });
    try {
      await procedure(this.#hosts.of(batch), place);
    } catch (error) {
      if (!(error instanceof TasksFailedError) || !leaveAll(error, batch)) throw error;
    }
    await this.#requireHealth("after", group, batch, place);
  }

  #requireHealth(
    when: "before" | "after",
    { plan, candidates, left }: GroupRun<V>,
    batch: readonly Member<V>[],
    place: BatchPlace,
  ): Promise<void> {
    const gates = new Map(candidates.map(({ member, gates }) => [member, gates[when]]));
    const gated = candidates.some((candidate) => candidate.gates[when] !== undefined);
    return requireHealth(this.#scope, {
      when,
      place: nameOf(place),
      gateOf: gated ? (member) => gates.get(member)?.() ?? [] : undefined,
      floor: plan.floor,
      members: membersOf(candidates),
      batch,
      timeoutMs: this.#policy.gateTimeoutMs ?? GATE_TIMEOUT_MS,
      intervalMs: this.#policy.gateIntervalMs ?? GATE_INTERVAL_MS,
      left,
    });
  }

  /** Holds the failures of a batch against the budgets. */
  #account(group: GroupRun<V>, batch: readonly Member<V>[], place: BatchPlace, progress: Progress): void {
    const failed = batch.flatMap(({ host, session }) => (session.error === undefined ? [] : [host.name]));
    if (failed.length === 0) return;
    progress.failed += failed.length;
    const { failures = { batch: 0 }, anyErrorsFatal = false } = this.#policy;
    const all = this.#candidates.filter(({ member, meant }) => member.chosen && meant).length;
    const may = {
      batch: failures.batch === undefined ? all : shareOf(failures.batch, batch.length),
      run: failures.run === undefined ? all : shareOf(failures.run, all),
    };
    const why = `${failed.join(", ")} failed`;
    if (anyErrorsFatal || progress.failed > may.run) progress.stop ??= why;
    if (anyErrorsFatal) throw stopped(group, why);
    if (progress.failed > may.run) throw stopped(group, may.run === 0 ? why : `${why}, and ${may.run} of ${all} may`);
    if (failed.length > may.batch) {
      throw stopped(group, may.batch === 0 ? why : `${why}, and ${may.batch} of ${nameOf(place)} may`);
    }
  }
}

function membersOf<V>(candidates: readonly Candidate<V>[]): readonly Member<V>[] {
  return candidates.map(({ member }) => member);
}

function stopped<V>({ left }: GroupRun<V>, why: string): RefusedError {
  return new RefusedError(`stopped: ${why}`, {
    detail: left.length === 0 ? undefined : `left as they are: ${left.join(", ")}`,
    hint: "mend that host, then run the same command again",
  });
}

function nameOf({ group, number, of }: BatchPlace): string {
  return `batch ${number} of ${of}${group === "" ? "" : ` of ${group}`}`;
}

/** Hosts that failed in a list whose failure nobody rescued leave the run; false where one is none of the batch. */
function leaveAll<V>({ failures }: TasksFailedError, batch: readonly Member<V>[]): boolean {
  const left = failures.map(({ host, error }) => ({ error, member: batch.find((one) => one.host.name === host) }));
  if (left.some(({ member }) => member === undefined)) return false;
  for (const { member, error } of left) member?.session.fail(error);
  return true;
}

/** Several groups may have stopped, each with a reason of its own. A defect or an interruption counts most. */
function joinErrors(errors: readonly unknown[]): unknown {
  const defect = errors.find((error) => !(error instanceof KbError) || error instanceof BugError);
  const known = errors.filter((error) => error instanceof KbError);
  const [first] = known;
  if (defect !== undefined || known.length < 2) return defect ?? first;
  const interrupted = known.find((error) => error instanceof InterruptedError);
  if (interrupted !== undefined) return interrupted;
  const messages = [...new Set(known.map(({ message }) => message))];
  const details = known.flatMap(({ detail }) => (detail === undefined ? [] : [detail]));
  return new RefusedError(messages.join("; "), { detail: details.join("\n"), hint: first?.hint });
}
