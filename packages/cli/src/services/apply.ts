import { relative, resolve } from "node:path";
import { EXIT, type KbError, matchHosts, RefusedError, type RunEvent } from "@keybuzz/runner";
import {
  comparePlans,
  makeDigest,
  type PlanDifference,
  PlanGuard,
  PlanRecorder,
  readPlan,
  type SavedPlan,
} from "@keybuzz/runner/durable";
import type { Reporter } from "../reporters/reporter.ts";
import { type ConnectionRequest, prepareReach } from "./connection.ts";
import { loadPlaybook } from "./find-playbook.ts";
import { openInventory } from "./play.ts";
import { recorded } from "./record-run.ts";
import { type Run, runPlaybook } from "./run-playbook.ts";
import { completeParams } from "./secret-params.ts";

/** A plan to be carried out. */
export interface ApplyRequest {
  readonly plan: string;
  /** The secret params, which a plan does not hold: `NAME=VALUE` each. */
  readonly params: readonly string[];
  /** The run that had begun with the plan: what that one did is not held against it. */
  readonly resumes?: string;
  readonly connection: ConnectionRequest;
  readonly forks: number | undefined;
  readonly directory: string;
}

/** How many differences a refusal lists. */
const MAX_LISTED = 20;

/**
 * Carries out a saved plan, and nothing else: first everything is read once more, and held against the plan; then the
 * run is held to it, task by task.
 * @throws RefusedError, before anything is changed, where a host or the playbook is not what the plan was made from
 */
export async function applyPlan(request: ApplyRequest, reporter: Reporter): Promise<number> {
  const plan = readPlan(resolve(request.directory, request.plan));
  const playbookFile = resolve(request.directory, plan.playbook.file);
  const playbook = await loadPlaybook(playbookFile);
  const inventory = await openInventory(plan.inventory.file, request.directory, reporter);
  const run: Run = {
    playbook,
    inventory,
    limit: plan.limit === null ? undefined : matchHosts(inventory, plan.limit.join(",")),
    params: await completeParams("the plan", plan, request.params),
    mode: "apply",
    diff: false,
    forks: request.forks,
    directory: request.directory,
    connection: request.connection,
    reach: await prepareReach(request.connection, () => reporter.suspend()),
    driftIsExit: false,
    ...(plan.select === null ? {} : { select: plan.select }),
  };
  const begun = request.resumes !== undefined;
  await refuseStale(plan, run, begun, reporter);
  const overseer = new PlanGuard(plan.tasks, makeDigest(plan.key), begun);
  const file = relative(request.directory, resolve(request.directory, request.plan));
  return recorded({ command: "apply", run, playbookFile, plan: file, resumes: request.resumes }, reporter, (told) =>
    runPlaybook({ ...run, overseer }, told),
  );
}

/** Reads everything once more, in check mode, and compares. */
async function refuseStale(plan: SavedPlan, run: Run, begun: boolean, reporter: Reporter): Promise<void> {
  const found = new PlanRecorder(makeDigest(plan.key));
  const errors: KbError[] = [];
  const listen = (event: RunEvent): void => {
    if ("error" in event) errors.push(event.error);
  };
  const exitCode = await runPlaybook({ ...run, mode: "check", overseer: found }, { ...reporter, emit: listen });
  const differences = comparePlans(plan.tasks, found.tasks, { begun });
  const [first] = differences;
  const [error] = errors;
  if (exitCode !== EXIT.converged && error !== undefined) throw error;
  if (first !== undefined) throw staleError(plan, first, differences);
}

function staleError(plan: SavedPlan, first: PlanDifference, differences: readonly PlanDifference[]): RefusedError {
  const { host, task, where } = first;
  const others = differences.slice(1, MAX_LISTED).map((other) => `${other.host}  ${other.task}: ${other.text}`);
  const more = differences.length - 1 - others.length;
  return new RefusedError(`the plan does not fit any more: ${first.text}`, {
    host,
    task,
    where,
    detail: [...others, ...(more > 0 ? [`and ${more} more`] : []), "nothing was changed"].join("\n"),
    hint: `make a new plan: kb plan ${plan.playbook.file} -o FILE. Where it is never the same twice, something new is made in each run, like a password that is not kept yet: play that part first`,
  });
}
