import { type Hosts, RefusedError } from "@keybuzz/runner";
import type { Decision } from "./decide.ts";
import type { MemberHost, MemberTasks } from "./member.ts";
import type { GaleraVars } from "./params.ts";
import { rollMembers } from "./roll/roll.ts";

/** What is to be done about servers that run. */
export interface Running {
  /** Members whose options changed. */
  readonly changed: readonly string[];
  /** Members that need a restart for that, or were asked for one before. */
  readonly restart: readonly string[];
}

const GATE_TIMEOUT_MS = 120_000;

/** What touches no running server, everywhere at once. All of it has to succeed before any server is touched. */
export async function prepareMembers(hosts: Hosts<GaleraVars>, tasks: MemberTasks): Promise<void> {
  const { failed } = await hosts.ensure((host) => tasks.files(host));
  if (failed.length === 0) return;
  throw new RefusedError(`${failed.join(", ")} failed, so no server was started, stopped or restarted`, {
    hint: "mend what is named above, then run the same command again",
  });
}

/**
 * Starts members as it was decided, one after the other where they need each other. Members that are live are brought in
 * line too.
 * @throws RefusedError at the first member that does not come up
 */
export async function startMembers(
  hosts: Hosts<GaleraVars>,
  tasks: MemberTasks,
  decision: Exclude<Decision, { kind: "refuse" }>,
  running: Running,
): Promise<void> {
  switch (decision.kind) {
    case "bootstrap": {
      requireChosen(hosts, decision.host);
      await oneByOne(hosts, [decision.host], (host) => [...tasks.bootstrap(host), ...tasks.accounts(host)]);
      await joinOneByOne(hosts, decision.joiners, tasks, 1);
      return;
    }
    case "promote": {
      requireChosen(hosts, decision.host);
      await oneByOne(hosts, [decision.host], (host) => tasks.promote(host));
      await joinOneByOne(hosts, decision.joiners, tasks, 1);
      return;
    }
    case "together": {
      const [first = ""] = decision.hosts;
      for (const host of decision.hosts) requireChosen(hosts, host);
      const size = decision.hosts.length;
      const { failed } = await hosts.only(...decision.hosts).ensure((host) => tasks.server(host, size));
      if (failed.length > 0) throw new RefusedError(`${failed.join(", ")} did not come up, so no other was started`);
      await oneByOne(hosts, [first], (host) => tasks.accounts(host));
      await joinOneByOne(hosts, decision.joiners, tasks, size);
      return;
    }
    case "join": {
      const [writer = ""] = decision.live;
      const up = decision.live.length;
      const whole = up + decision.restart.length + decision.start.length;
      // An earlier run may have ended before it made them, and an older version's transfers need one of them.
      if (decision.start.length > 0) await oneByOne(hosts, [writer], (host) => tasks.accounts(host));
      await joinOneByOne(hosts, [...decision.restart, ...decision.start], tasks, up);
      await bringInLine(hosts, tasks, { ...running, live: decision.live, size: whole });
    }
  }
}

/**
 * Brings live members in line: what a running server takes is set in it; where a restart is asked for, the members are
 * rolled. The writer last: a restart moves it once, and not with each of its successors.
 */
async function bringInLine(
  hosts: Hosts<GaleraVars>,
  tasks: MemberTasks,
  { live, size, changed, restart }: Running & { readonly live: readonly string[]; readonly size: number },
): Promise<void> {
  const [writer = ""] = live;
  if (changed.length > 0) {
    const { failed } = await hosts.only(...changed).ensure((host) => tasks.options(host));
    if (failed.length > 0)
      throw new RefusedError(`${failed.join(", ")} did not take its options, so none is restarted`);
  }
  const order = live.filter((name) => restart.includes(name)).toReversed();
  if (order.length > 0) await rollMembers(hosts, tasks, { order, size, gateTimeoutMs: GATE_TIMEOUT_MS });
  await oneByOne(hosts, live.toReversed(), (host) => [
    ...tasks.server(host, size),
    ...(host.name === writer ? tasks.accounts(host) : []),
  ]);
}

/** Members join one after the other those `up` that are there; data that is given up is out of the way before. */
export async function joinOneByOne(
  hosts: Hosts<GaleraVars>,
  names: readonly string[],
  tasks: MemberTasks,
  up: number,
): Promise<void> {
  let before = up;
  for (const name of names) {
    const member = hosts.only(name);
    const [taking] = member.live;
    if (taking !== undefined && tasks.clear(taking).length > 0)
      await member.serial(1).ensure((host) => tasks.clear(host));
    await oneByOne(hosts, [name], (host) => tasks.server(host, before + 1));
    if (taking !== undefined) before += 1;
  }
}

/** One member after the other, in this order; stops at the first failure. */
async function oneByOne(
  hosts: Hosts<GaleraVars>,
  names: readonly string[],
  tasks: (host: MemberHost) => ReturnType<MemberTasks["server"]>,
): Promise<void> {
  for (const name of names) await hosts.only(name).serial(1).ensure(tasks);
}

function requireChosen(hosts: Hosts<GaleraVars>, name: string): void {
  if (hosts.live.some((host) => host.name === name)) return;
  throw new RefusedError(`${name} has to start first, and does not take part`, {
    hint: "run without --limit, or with that host in it",
  });
}

/** Members that wait for an operator make the run fail, once all others are well. */
export function reportLeft(decision: Decision): void {
  if (decision.kind !== "join" || decision.left.length === 0) return;
  throw new RefusedError(`the cluster is live without ${decision.left.map(({ host }) => host).join(", ")}`, {
    detail: decision.left.map(({ host, why }) => `${host} ${why}`).join("\n"),
  });
}
