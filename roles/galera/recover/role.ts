import { file } from "@keybuzz/modules";
import { defineRole, type Hosts, RefusedError } from "@keybuzz/runner";
import * as z from "zod";
import { STATE } from "../../paths.ts";
import type { Evidence } from "../evidence.ts";
import { describeCluster, type Look, look } from "../look.ts";
import { makeMemberTasks } from "../member.ts";
import { GaleraHost, type GaleraVars, galeraParams } from "../params.ts";
import { proofTable, verdictOf } from "../proof.ts";
import { joinOneByOne, prepareMembers, reportLeft, startMembers } from "../start.ts";
import { decideRecovery, type Recovery, type RecoveryOptions } from "./decide.ts";
import { renderLoss } from "./loss.ts";
import { measured, steady, stopped, viewAside } from "./tasks.ts";

const recoveryParams = galeraParams.extend({
  fenced: z.array(z.string()).describe("Hosts that the operator switched off for certain"),
  acceptLoss: z.array(z.string()).describe("What the operator gives up, as the refusal before named it"),
  restoreView: z.boolean().describe("Whether members with their last view are left to restore it by themselves"),
  holdSeconds: z
    .int()
    .min(1)
    .max(3600)
    .describe("How long the cluster has to stay as it is before it counts as recovered"),
  pending: z
    .custom<() => boolean>((value) => typeof value === "function")
    .describe("Whether check mode has predicted changes, so that what follows from them cannot be seen"),
});

type Start = Extract<Recovery, { kind: "start" }>;
type Params = z.output<typeof recoveryParams>;

/** More rounds than `decideRecovery` ever asks for: a measure, and one more stop. */
const MOST_ROUNDS = 4;

/**
 * Brings back a cluster that does not serve, without a bootstrap where there is any other way, and from the member that has
 * the most where there is none. Run again after a kill at any point, it looks anew and goes on.
 */
export const recoverGalera = defineRole({
  name: "galera_recover",
  summary: "Brings back a cluster that does not serve, from the member that has the most",
  params: recoveryParams,
  host: GaleraHost,
  async run({ hosts, params }) {
    const cluster = describeCluster(hosts, params);
    const taking = hosts.where(({ name }) => !params.fenced.includes(name));
    const found = await findWay(hosts, taking, params);
    if (found === undefined) return;
    const { recovery, seen } = found;
    const { decision, aside } = recovery;
    const tasks = makeMemberTasks({
      cluster,
      params,
      facts: seen.facts,
      decision,
      lost: seen.lost,
      aside: new Map([...seen.evidence.flatMap(begunAside), ...aside.map(({ host, why }) => [host, why] as const)]),
    });
    await prepareMembers(taking, tasks);
    if (decision.kind === "bootstrap") await clearTheWay(taking);
    // Members that are live serve: a recovery leaves them alone.
    if (decision.kind === "join") {
      await joinOneByOne(taking, [...decision.restart, ...decision.start], tasks, decision.live.length);
    } else await startMembers(taking, tasks, decision, { changed: [], restart: [] });
    await hold(taking, params, decision);
    reportLeft(decision);
  },
});

function begunAside(member: Evidence): readonly (readonly [string, "diverged"])[] {
  return member.kind === "seen" && member.movingAside ? [[member.host, "diverged"]] : [];
}

/** Looks, decides, and measures what the decision lacks, until it is made. */
async function findWay(
  hosts: Hosts<GaleraVars>,
  taking: Hosts<GaleraVars>,
  params: Params,
): Promise<{ recovery: Start; seen: Look } | undefined> {
  const [seed] = hosts.declared;
  const { fenced, acceptLoss, restoreView } = params;
  const options: RecoveryOptions = { seed: seed?.name ?? "", fenced, acceptLoss, restoreView };
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const seen = await look(hosts, params);
    const recovery = decideRecovery(seen.evidence, options);
    proofTable(hosts, `How the cluster is recovered: ${recovery.why}`, seen.evidence, verdictIn(recovery, fenced));
    switch (recovery.kind) {
      case "refuse":
        throw new RefusedError(recovery.why, { hint: recovery.hint });
      case "forget":
        await taking.only(...recovery.hosts).ensure([file({ path: `${STATE}/cluster`, state: "absent" })]);
        hosts.note("nothing is known of the old cluster any more: kb play galera.ts makes a new one", "warn");
        return undefined;
      case "start":
        tellGivenUp(hosts, recovery, fenced);
        return { recovery, seen };
      case "measure":
        await measure(taking, recovery);
        if (params.pending()) {
          hosts.note("how it goes on from there is decided by what is measured then");
          return undefined;
        }
    }
  }
  throw new RefusedError("the members do not come to rest: each look finds another state", {
    hint: "see that nobody else starts or stops servers, then run the same command again",
  });
}

function verdictIn(recovery: Recovery, fenced: readonly string[]): (host: string) => string {
  return (host) => {
    if (fenced.includes(host)) return "is left out: switched off";
    switch (recovery.kind) {
      case "refuse":
        return "not touched";
      case "forget":
        return recovery.hosts.includes(host) ? "its cluster is forgotten" : "";
      case "measure": {
        const parts = [
          ...(recovery.stop.includes(host) ? ["stopped"] : []),
          ...(recovery.measure.includes(host) ? ["measured"] : []),
        ];
        return parts.length === 0 ? "" : `is ${parts.join(", ")}`;
      }
      case "start": {
        const verdict = verdictOf(host, recovery.decision);
        const loss = recovery.aside.find((one) => one.host === host);
        return loss === undefined ? verdict : `${verdict}, its data moved aside`;
      }
    }
  };
}

function tellGivenUp(hosts: Hosts<unknown>, { aside }: Start, fenced: readonly string[]): void {
  for (const loss of aside) {
    hosts.note(`${renderLoss(loss)} is given up (${loss.why}): its data is moved aside, and kept`, "warn");
  }
  if (fenced.length > 0) {
    hosts.note(`${fenced.join(", ")} is taken for switched off: do not let it start with its data again`, "warn");
  }
}

async function measure(
  taking: Hosts<GaleraVars>,
  { stop, measure: asked }: Extract<Recovery, { kind: "measure" }>,
): Promise<void> {
  const { failed } = await taking
    .only(...stop, ...asked)
    .ensure(({ name, vars }) => [stopped(vars), ...(asked.includes(name) ? [measured(vars)] : [])]);
  if (failed.length > 0) {
    throw new RefusedError(`${failed.join(", ")} could not be stopped or measured, so no member was started`, {
      hint: "mend what is named above, then run the same command again",
    });
  }
}

/** Nobody else runs, or restores a view, beside the member that goes on. */
async function clearTheWay(taking: Hosts<GaleraVars>): Promise<void> {
  const { failed } = await taking.ensure(({ vars }) => [stopped(vars), viewAside()]);
  if (failed.length === 0) return;
  throw new RefusedError(`${failed.join(", ")} could not be stopped, so no member was started`, {
    hint: "mend what is named above, or switch that host off and name it in fenced, then run the same command again",
  });
}

/** One green look proves nothing: see `steady`. */
async function hold(taking: Hosts<GaleraVars>, params: Params, decision: Start["decision"]): Promise<void> {
  const left = decision.kind === "join" ? decision.left.map(({ host }) => host) : [];
  const members = taking.where(({ name }) => !left.includes(name));
  const size = members.declared.length;
  const { failed } = await members.ensure(({ vars }) => [
    steady(vars.mariadb_runtime, size, params.holdSeconds, params.joinTimeoutMs),
  ]);
  if (failed.length > 0) {
    throw new RefusedError(`the cluster does not hold: ${failed.join(", ")} left it again, or its view changes`, {
      hint: "run the same command again; nothing is lost by that",
    });
  }
}
