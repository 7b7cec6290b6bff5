import { defineRole, type Hosts, RefusedError } from "@keybuzz/runner";
import { type Decision, decideStart } from "./decide.ts";
import type { Evidence } from "./evidence.ts";
import { describeCluster, look } from "./look.ts";
import { makeMemberTasks } from "./member.ts";
import { GaleraHost, type GaleraVars, galeraParams } from "./params.ts";
import { proofTable } from "./proof.ts";
import { askedFor, planRunning } from "./roll/running.ts";
import { prepareMembers, reportLeft, startMembers } from "./start.ts";

export { GaleraHost } from "./params.ts";

/**
 * A Galera cluster: its members' files and servers, started in the only order that is safe, its accounts and database.
 *
 * Who starts how is decided from evidence about all members, before anything is touched (`decide.ts`).
 */
export const galera = defineRole({
  name: "galera",
  summary: "A MariaDB Galera cluster, started in the only order that is safe",
  params: galeraParams,
  host: GaleraHost,
  async run({ hosts, params }) {
    const cluster = describeCluster(hosts, params);
    const { evidence, facts, lost } = await look(hosts, params);
    const decision = decide(hosts, evidence);
    const running = await planRunning(hosts.only(...liveOf(decision)), facts, cluster, params);
    const tasks = makeMemberTasks({ cluster, params, facts, decision, lost, running });
    await prepareMembers(hosts, tasks);
    await startMembers(hosts, tasks, decision, { changed: [...running.keys()], restart: askedFor(facts, running) });
    reportLeft(decision);
  },
});

function liveOf(decision: Decision): readonly string[] {
  return decision.kind === "join" ? decision.live : [];
}

/** Decides, and shows what from wherever a member is to be started, or nothing can be. */
function decide(hosts: Hosts<GaleraVars>, evidence: readonly Evidence[]): Exclude<Decision, { kind: "refuse" }> {
  const [seed] = hosts.declared;
  const decision = decideStart(evidence, { seed: seed?.name ?? "" });
  if (decision.kind !== "join" || decision.live.length < evidence.length) {
    proofTable(hosts, `How the cluster starts: ${decision.why}`, evidence, decision);
  }
  if (decision.kind === "refuse") throw new RefusedError(decision.why, { hint: decision.hint });
  return decision;
}
