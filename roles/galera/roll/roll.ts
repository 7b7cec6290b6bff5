import { type Hosts, mapProbe, RefusedError } from "@keybuzz/runner";
import type { MemberTasks } from "../member.ts";
import type { GaleraVars } from "../params.ts";
import { disagreement, healthOf } from "./gate.ts";
import { type NodeState, nodeState } from "./state.ts";

/** What a roll goes by. */
export interface RollRules {
  /** The nodes to work on, in this order. */
  readonly order: readonly string[];
  /** How many members there are. */
  readonly size: number;
  /** Longest time until the nodes are well before and after each. */
  readonly gateTimeoutMs: number;
  /** Done before a node is stopped, with what all nodes say then. */
  readonly before?: (node: Hosts<GaleraVars>, states: ReadonlyMap<string, NodeState>) => Promise<void>;
  /** Done to a node before its server's tasks. */
  readonly extra?: (node: Hosts<GaleraVars>) => Promise<void>;
  /** Done once its server is up again. */
  readonly after?: (node: Hosts<GaleraVars>) => Promise<void>;
}

/**
 * Takes nodes one after the other, each with all others Synced in one view beside it, before and after. Stops at the first
 * that does not come back.
 * @throws RefusedError that says which failed, and which are left as they are
 */
export async function rollMembers(hosts: Hosts<GaleraVars>, tasks: MemberTasks, rules: RollRules): Promise<void> {
  const { order, size, gateTimeoutMs } = rules;
  const rank = new Map(order.map((name, index) => [name, index]));
  await hosts
    .serial({
      max: 1,
      only: ({ name }) => rank.has(name),
      order: (left, right) => (rank.get(left.name) ?? order.length) - (rank.get(right.name) ?? order.length),
      gate: {
        // One that is down already may be worked on: that is how it comes back.
        before: ({ vars }) => mapProbe(nodeState(vars.mariadb_runtime), (state) => healthOf(state, size - 1)),
        after: ({ vars }) => mapProbe(nodeState(vars.mariadb_runtime), (state) => healthOf(state, size)),
      },
      gateTimeoutMs,
      minHealthy: size - 1,
    })
    .each(async (node) => {
      await rules.before?.(node, await statesOf(hosts));
      await rules.extra?.(node);
      const { failed } = await node.ensure((host) => tasks.server(host, size));
      if (failed.length === 0) await rules.after?.(node);
    });
}

/**
 * What the nodes say of themselves; those that do not answer are missing.
 * @throws RefusedError where those that serve are not one cluster in one view
 */
export async function statesOf(hosts: Hosts<GaleraVars>): Promise<ReadonlyMap<string, NodeState>> {
  const answers = await hosts.probeDeclared(({ vars }) => nodeState(vars.mariadb_runtime));
  const states = new Map(
    answers.flatMap(({ host, value }) => (value === undefined ? [] : [[host.name, value] as const])),
  );
  const why = disagreement(new Map([...states].filter(([, { status }]) => status === "Primary")));
  if (why !== undefined)
    throw new RefusedError(`stopped: ${why}`, { hint: "kb play verify.ts tells more; nothing more was touched" });
  return states;
}
