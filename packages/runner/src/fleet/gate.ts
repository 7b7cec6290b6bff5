import type { HostSession } from "../engine/session.ts";
import { ensureHost, whenUnheld } from "../ensure.ts";
import { BugError, HostError, isHandleable, type KbError, UnhealthyError } from "../errors.ts";
import type { TaskResult } from "../events.ts";
import type { Task } from "../module.ts";
import type { Probe } from "../probe.ts";
import type { Rehearsal } from "../rehearsal.ts";
import type { TaskListing } from "./listing.ts";
import { eachMember, type ForHost, type Member, type RunScope } from "./member.ts";

/**
 * What makes a host healthy. Tasks of gate modules (`wait_for`), which wait on the host by themselves; or a question,
 * whose answer is true, or false, or the reason why not, asked again until it holds.
 */
export type Gate<V> = ForHost<V, HostGate>;

/** Gates before and after each batch. */
export interface Gates<V> {
  readonly before?: Gate<V>;
  readonly after?: Gate<V>;
}

/** @internal A gate for one host. */
export type HostGate = readonly Task[] | Probe<boolean | string>;

/** @internal What a gate found on one host. */
export type Verdict<V> =
  | { readonly member: Member<V>; readonly state: "well" }
  /** Check mode: it does not hold now, and only a run finds out whether it then does. */
  | { readonly member: Member<V>; readonly state: "open"; readonly why: string; readonly pending: boolean }
  | {
      readonly member: Member<V>;
      readonly state: "ill";
      readonly error: KbError;
      /** Whether asking again may bring another answer. */
      readonly passing: boolean;
    };

/** @internal How a gate is passed. */
export interface GateRequest<V> {
  gateOf(member: Member<V>): HostGate;
  /** For labels: `before batch 1 of 3`. */
  readonly label: string;
  readonly members: readonly Member<V>[];
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** A member whose failure is one of the batch: it leaves the run. */
  isWorkedOn(member: Member<V>): boolean;
  /** Whether these verdicts are good enough; until then, questions are asked again. */
  suffices(verdicts: readonly Verdict<V>[]): boolean;
}

/** @internal Asks a gate of hosts, again and again until enough of them are well, or the time is over. */
export async function passGate<V>(scope: RunScope, request: GateRequest<V>): Promise<readonly Verdict<V>[]> {
  if (scope.listing !== undefined) return list(scope.listing, request);
  if (scope.rehearsal !== undefined) return rehearse(scope.rehearsal, request);
  const until = performance.now() + request.timeoutMs;
  let verdicts: readonly Verdict<V>[] = [];
  for (;;) {
    const open = request.members.filter(
      (member) => !verdicts.some((known) => known.member === member && isFinal(known)),
    );
    const fresh = await askAll(scope, open, request);
    verdicts = [...verdicts.filter(({ member }) => !open.includes(member)), ...fresh];
    const last = performance.now() >= until || verdicts.every(isFinal) || request.suffices(verdicts);
    if (last) return verdicts.map((verdict) => settle(verdict, request));
    await pause(request.intervalMs, scope.interrupted);
  }
}

function list<V>(listing: TaskListing, { members, gateOf }: GateRequest<V>): readonly Verdict<V>[] {
  const gates = members.map((member) => ({ host: member.host.name, gate: gateOf(member) }));
  listing.take(gates.map(({ host, gate }) => ({ host, tasks: "parse" in gate ? [] : gate })));
  return members.map((member) => ({ member, state: "well" }));
}

/** That hosts are healthy is taken for granted, as that none fails. */
function rehearse<V>(rehearsal: Rehearsal, { members, gateOf }: GateRequest<V>): readonly Verdict<V>[] {
  return members.map((member) => {
    const gate = gateOf(member);
    if (!("parse" in gate)) rehearsal.take(member.host.name, gate);
    return { member, state: "well" };
  });
}

function isFinal<V>(verdict: Verdict<V>): boolean {
  return verdict.state !== "ill" || !verdict.passing;
}

/** A host of the batch that did not get well leaves the run with that reason. */
function settle<V>(verdict: Verdict<V>, request: GateRequest<V>): Verdict<V> {
  if (verdict.state === "ill" && request.isWorkedOn(verdict.member)) verdict.member.session.fail(verdict.error);
  return verdict;
}

async function askAll<V>(
  scope: RunScope,
  members: readonly Member<V>[],
  request: GateRequest<V>,
): Promise<readonly Verdict<V>[]> {
  const verdicts = await eachMember(scope, members, async (member): Promise<Verdict<V>> => {
    const gate = request.gateOf(member);
    return "parse" in gate ? ask(scope, member, gate, request) : prove(scope, member, gate, request);
  });
  return members.map((member, index) => {
    const error = member.session.error ?? new BugError("a host has left unnoticed");
    return verdicts[index] ?? { member, state: "ill", error, passing: false };
  });
}

/** A question: reported once it holds. A server that restarts cannot even be asked, so an error is an answer, too. */
async function ask<V>(
  scope: RunScope,
  member: Member<V>,
  probe: Probe<boolean | string>,
  { label }: GateRequest<V>,
): Promise<Verdict<V>> {
  const { session } = member;
  const result = { host: session.name, task: label, module: "gate", id: label, changes: [], ms: 0 };
  const answer = await answerOf(scope, session, probe);
  if (answer === true) {
    session.report({ ...result, outcome: "ok" });
    return { member, state: "well" };
  }
  const error =
    answer instanceof HostError
      ? answer
      : new UnhealthyError(answer === false ? "its gate does not hold" : answer, { host: session.name, task: label });
  const { awaited, pending } = whenUnheld(scope, session);
  if (awaited) return { member, state: "ill", error, passing: true };
  session.report({ ...result, outcome: "skipped", reason: `${error.message}: only a run without --check awaits it` });
  return { member, state: "open", why: error.message, pending };
}

async function answerOf(
  { user }: RunScope,
  session: HostSession,
  probe: Probe<boolean | string>,
): Promise<boolean | string | HostError> {
  try {
    return await session.question(probe, { user });
  } catch (error) {
    if (isHandleable(error)) return error;
    throw error;
  }
}

/** Tasks: they wait on the host, and the engine reports them. */
async function prove<V>(
  scope: RunScope,
  member: Member<V>,
  tasks: readonly Task[],
  request: GateRequest<V>,
): Promise<Verdict<V>> {
  const declaring = tasks.find((task) => !task.gate);
  if (declaring !== undefined) {
    throw new BugError(`${declaring.name} is no gate: it could change a host that only has to be looked at`, {
      where: declaring.where,
      hint: "a gate is made of tasks of gate modules such as wait_for, or is a question",
    });
  }
  const { awaited, pending } = whenUnheld(scope, member.session);
  // An ill host that is not worked on stays in the run: the floor says whether it can be spared.
  const spared = request.isWorkedOn(member) ? {} : { handled: "ignored" as const };
  let results: readonly TaskResult[];
  try {
    results = await ensureHost(member.session, tasks, { ...scope, ...spared });
  } catch (error) {
    if (!isHandleable(error)) throw error;
    return awaited || !pending
      ? { member, state: "ill", error, passing: false }
      : { member, state: "open", why: error.message, pending };
  }
  const skipped = results.find(({ outcome }) => outcome === "skipped");
  if (skipped === undefined) return { member, state: "well" };
  return { member, state: "open", why: `${skipped.task} does not hold`, pending };
}

async function pause(ms: number, interrupted: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    interrupted.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      interrupted.removeEventListener("abort", done);
      resolve();
    }
  });
}
