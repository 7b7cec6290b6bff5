import { apt } from "@keybuzz/modules";
import { type Hosts, RefusedError, type Secret, type TableRow } from "@keybuzz/runner";
import type * as z from "zod";
import { type Decision, decideStart } from "../decide.ts";
import { describeCluster, type Look, look } from "../look.ts";
import { type MemberTasks, makeMemberTasks } from "../member.ts";
import { type GaleraVars, galeraParams } from "../params.ts";
import { proofTable } from "../proof.ts";
import { prepareMembers } from "../start.ts";
import { outdated, PACKAGES, systemTables } from "./due.ts";
import { gcacheWindow } from "./gate.ts";
import type { OptionPlan } from "./options.ts";
import { planRoll, type RollNode, type RollPlan } from "./plan.ts";
import { backInProxies, goneFromProxies, writersOf } from "./proxies.ts";
import { askRestart } from "./restart.ts";
import { rollMembers, statesOf } from "./roll.ts";
import { askedFor, planRunning } from "./running.ts";
import type { NodeState } from "./state.ts";
import { drained } from "./tasks.ts";

/** What is rolled, why, and what stands in front of it. */
export interface RollContext {
  readonly nodes: Hosts<GaleraVars>;
  /** None where clients come to the nodes by themselves. */
  readonly proxies: Hosts<unknown>;
  readonly credentials: z.input<typeof galeraParams>["credentials"] & { readonly adminPassword: Secret };
  /** `restart`: all nodes; `config`: those whose options changed; `upgrade`: those whose image or packages are old. */
  readonly action: "restart" | "config" | "upgrade";
  /** How long a node is expected to be away; writes of that time have to fit into the others' gcache. */
  readonly awaySeconds: number;
  /** Longest wait for a node's clients to leave it. */
  readonly drainSeconds: number;
}

const GATE_TIMEOUT_MS = 120_000;

/**
 * Takes the nodes of a live cluster through a restart, a change or an upgrade, one after the other: out of rotation in all
 * proxies, its clients gone, stopped, changed, started, Synced again beside all others. Run again, it goes on.
 * @throws RefusedError where it may not begin, and at the first node that does not come back
 */
export async function rollGalera(context: RollContext): Promise<void> {
  const { nodes, proxies, action } = context;
  const params = galeraParams.parse({ credentials: pick(context.credentials) });
  const cluster = describeCluster(nodes, params);
  const seen = await look(nodes, params);
  const decision = requireLive(nodes, seen);
  const running = await planRunning(nodes.only(...decision.live), seen.facts, cluster, params);
  const tasks = makeMemberTasks({ cluster, params, facts: seen.facts, decision, lost: seen.lost, running });
  const before = await statesOf(nodes);
  await prepareMembers(nodes, tasks);
  const old = action === "upgrade" ? await outdatedOf(nodes) : new Map<string, readonly string[]>();
  const asked = askedFor(seen.facts, running);
  if (action === "restart" && asked.length > 0)
    nodes.note(`goes on with ${asked.join(", ")}, which an earlier run left`);
  const due = nodes.declared.map((host): RollNode => {
    const reasons = [
      ...(action === "restart" && asked.length === 0 ? ["asked for"] : []),
      ...(seen.facts.get(host.name)?.restart === undefined ? [] : [seen.facts.get(host.name)?.restart ?? ""]),
      ...(running.get(host.name)?.restart.map((option) => `option ${option}`) ?? []),
      ...(old.get(host.name) ?? []),
    ];
    return { name: host.name, address: host.address, serving: decision.live.includes(host.name), due: reasons };
  });
  const writers = await writersOf(proxies, context.credentials.adminPassword);
  const plan = planRoll(due, writers.seen, writers.silent);
  showPlan(nodes, due, plan, running);
  if (plan.kind === "refuse") throw new RefusedError(plan.why, { hint: plan.hint });
  await setOptions(nodes, tasks, running);
  if (plan.kind === "nothing") return;
  await askAll(nodes, due, plan.order);
  await rollMembers(nodes, tasks, {
    order: plan.order,
    size: nodes.declared.length,
    gateTimeoutMs: GATE_TIMEOUT_MS,
    before: async (node, now) => {
      requireWindow(before, now, context.awaySeconds);
      await takeOut(node, context);
    },
    ...(action === "upgrade" ? { extra: upgrade } : {}),
    after: async (node) => {
      if (action === "upgrade") await node.ensure(({ vars }) => [systemTables(vars.mariadb_runtime)]);
      await bringBack(node, context);
    },
  });
}

/** Params take no names that they do not know. */
function pick({
  adminPassword: _,
  ...credentials
}: RollContext["credentials"]): z.input<typeof galeraParams>["credentials"] {
  return credentials;
}

/** A roll begins with a live cluster, of which one member may be away. */
function requireLive(nodes: Hosts<GaleraVars>, { evidence }: Look): Extract<Decision, { kind: "join" }> {
  const decision = decideStart(evidence, { seed: nodes.declared[0]?.name ?? "" });
  if (decision.kind === "join" && decision.left.length === 0) return decision;
  proofTable(nodes, "Why nothing is rolled", evidence, decision);
  throw new RefusedError(decision.kind === "join" ? "not all members can take part" : "the cluster does not serve", {
    detail: decision.kind === "join" ? decision.left.map(({ host, why }) => `${host} ${why}`).join("\n") : decision.why,
    hint: "kb play galera.ts starts what may be started; kb play recover.ts is for what it refuses",
  });
}

async function outdatedOf(nodes: Hosts<GaleraVars>): Promise<ReadonlyMap<string, readonly string[]>> {
  const answers = await nodes.probe(({ vars }) => outdated(vars));
  return new Map(answers.map(({ host, value }) => [host.name, value]));
}

function showPlan(
  nodes: Hosts<unknown>,
  due: readonly RollNode[],
  plan: RollPlan,
  running: ReadonlyMap<string, OptionPlan>,
): void {
  const order = plan.kind === "roll" ? plan.order : [];
  const rows = due.map(({ name, serving, due: reasons }): TableRow => {
    const place = order.indexOf(name);
    const live = Object.entries(running.get(name)?.set ?? {}).map(([option, value]) => `${option} = ${value}`);
    const role = plan.kind === "roll" && plan.writer === name ? "writer" : serving ? "reader" : "does not serve";
    const so = [
      ...(live.length === 0 ? [] : [`set while it runs: ${live.join(", ")}`]),
      ...(place < 0 ? [] : [`number ${place + 1}`]),
    ];
    return { cells: [name, role, reasons.join("; "), so.join("; ")], status: plan.kind === "refuse" ? "warn" : "ok" };
  });
  nodes.table(`How the nodes are rolled: ${plan.why}`, ["node", "is", "restarted for", "so"], rows);
}

/** Servers that run take what they can; the rest is asked for as a restart, which outlives this run. */
async function setOptions(
  nodes: Hosts<GaleraVars>,
  tasks: MemberTasks,
  running: ReadonlyMap<string, OptionPlan>,
): Promise<void> {
  if (running.size === 0) return;
  const { failed } = await nodes.only(...running.keys()).ensure((host) => tasks.options(host));
  if (failed.length > 0) throw new RefusedError(`${failed.join(", ")} did not take its options, so none is restarted`);
}

/** Asked for on all at once: a run that is killed half-way leaves those that are still to come to the next one. */
async function askAll(nodes: Hosts<GaleraVars>, due: readonly RollNode[], order: readonly string[]): Promise<void> {
  const serving = due.filter(({ name, serving: up }) => up && order.includes(name));
  if (serving.length === 0) return;
  const { failed } = await nodes
    .only(...serving.map(({ name }) => name))
    .ensure(({ name }) => [askRestart(serving.find((node) => node.name === name)?.due.join("; ") ?? "")]);
  if (failed.length > 0) throw new RefusedError(`${failed.join(", ")} failed, so none is restarted`);
}

/** @throws RefusedError where the nodes that stay would not keep what the one that goes misses */
function requireWindow(
  before: ReadonlyMap<string, NodeState>,
  now: ReadonlyMap<string, NodeState>,
  awaySeconds: number,
): void {
  const window = gcacheWindow(before, now);
  if (window >= awaySeconds) return;
  throw new RefusedError(
    `the gcache keeps ${Math.floor(window)} s of writes, and a node may be away for ${awaySeconds} s: it would be sent everything`,
    { hint: "wait for a quieter hour, raise galera_gcache_size, or say how long it will be away: -e away_seconds=30" },
  );
}

async function takeOut(node: Hosts<GaleraVars>, { proxies, credentials, drainSeconds }: RollContext): Promise<void> {
  const [host] = node.live;
  if (host === undefined) return;
  const { failed } = await node.ensure(({ vars }) => [drained(vars.mariadb_runtime)]);
  if (failed.length > 0) return;
  // Clients that stay longer than that lose their connection with the stop, as they do when a node fails.
  await proxies.ensure([goneFromProxies(host.address, credentials.adminPassword, drainSeconds * 1000)], {
    onFailure: "ignore",
  });
}

async function upgrade(node: Hosts<GaleraVars>): Promise<void> {
  await node.ensure(({ vars }) =>
    vars.mariadb_runtime === "native" ? [apt({ name: [...PACKAGES], state: "latest", install_recommends: false })] : [],
  );
}

/** The next node goes once the proxies have this one back, and agree on the writer. */
async function bringBack(node: Hosts<GaleraVars>, { proxies, credentials }: RollContext): Promise<void> {
  const [host] = node.live;
  if (host === undefined) return;
  const { failed } = await proxies.ensure([backInProxies(host.address, credentials.adminPassword, GATE_TIMEOUT_MS)]);
  if (failed.length === 0) return;
  throw new RefusedError(`${host.name} is well, but ${failed.join(", ")} does not use it again`, {
    hint: "kb play verify.ts tells more; then run the same command again",
  });
}
