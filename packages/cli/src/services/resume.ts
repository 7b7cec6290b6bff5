import { resolve } from "node:path";
import { EXIT, matchHosts, UsageError } from "@keybuzz/runner";
import {
  differingNames,
  digestInventory,
  findRun,
  makeDigest,
  outcomeOfRun,
  type RunRecord,
  readEvents,
  readRecord,
  readSources,
  stateOf,
} from "@keybuzz/runner/durable";
import type { Reporter } from "../reporters/reporter.ts";
import { applyPlan } from "./apply.ts";
import type { ConnectionRequest } from "./connection.ts";
import { loadPlaybook } from "./find-playbook.ts";
import { openInventory } from "./play.ts";
import { recorded } from "./record-run.ts";
import { type Run, runPlaybook } from "./run-playbook.ts";
import { runsFolder } from "./runs-folder.ts";
import { completeParams } from "./secret-params.ts";

/** A run that cannot be gone on with. */
export class ResumeError extends UsageError {
  readonly code = "resume";
}

/** `kb resume`, as its command line was. */
export interface ResumeRequest {
  /** A run's name, the beginning of one, or `last`. */
  readonly run: string;
  /** All of the run's hosts, those that had come to their end included. */
  readonly all: boolean;
  /** Also where the playbook or the inventory has changed since. */
  readonly anyway: boolean;
  /** The secret params, which are not recorded: `NAME=VALUE` each. */
  readonly params: readonly string[];
  /** What the command line says about connections; the rest is as it was recorded. */
  readonly connection: Partial<ConnectionRequest>;
  readonly directory: string;
}

/**
 * Plays a recorded run again: the same playbook, inventory and params, on the hosts that had not come to their end.
 * What was done is found done.
 * @throws ResumeError where it goes on still, or what it was made from has changed since
 */
export async function resumeRun(request: ResumeRequest, reporter: Reporter): Promise<number> {
  const runs = runsFolder(request.directory);
  const id = findRun(runs, request.run);
  const record = readRecord(runs, id);
  refuseRunning(record);
  const limit = hostsLeft(record, runs, request.all);
  if (limit === "none") {
    reporter.emit({ type: "note", level: "info", text: `${id} came to its end on every host: nothing is left to do` });
    return EXIT.converged;
  }
  const connection = connectionOf(record, request.connection);
  const forks = record.forks ?? undefined;
  if (record.plan !== null) {
    const { directory, params } = request;
    return applyPlan({ plan: record.plan, resumes: id, params, connection, forks, directory }, reporter);
  }
  const params = await completeParams("the run", record, request.params);
  const playbookFile = resolve(request.directory, record.playbook.file);
  const playbook = await loadPlaybook(playbookFile);
  const inventory = await openInventory(record.inventory.file, request.directory, reporter);
  refuseChanged(
    record,
    request,
    differences(record, request.directory, digestInventory(inventory, makeDigest(record.key))),
  );
  const run: Run = {
    playbook,
    inventory,
    limit: limit === "all" ? undefined : matchHosts(inventory, limit.join(",")),
    params,
    ...(record.select === null ? {} : { select: record.select }),
    mode: record.mode,
    diff: record.diff,
    forks,
    directory: request.directory,
    connection,
    driftIsExit: false,
  };
  return recorded({ command: "play", run, playbookFile, resumes: id }, reporter, (told) => runPlaybook(run, told));
}

function refuseRunning(record: RunRecord): void {
  const state = stateOf(record);
  const { pid, host } = record.process;
  if (state === "running") {
    throw new ResumeError(`the run ${record.id} still goes on`, { detail: `process ${pid} on this machine` });
  }
  if (state === "unknown") {
    throw new ResumeError(`whether the run ${record.id} still goes on cannot be told here`, {
      detail: `it was started on ${host}, as process ${pid}`,
      hint: `resume it there, or play it anew: kb play ${record.playbook.file}`,
    });
  }
}

/** The hosts that had not come to their end; `all` where the run had no limit and none of its hosts had. */
function hostsLeft(record: RunRecord, runs: string, all: boolean): readonly string[] | "all" | "none" {
  const whole = record.limit ?? "all";
  if (all) return whole;
  const { hosts, complete } = outcomeOfRun(readEvents(runs, record.id));
  if (!complete) return whole;
  const left = hosts.filter(({ outcome }) => outcome !== "done");
  if (left.length === 0) return "none";
  // What failed on the controller may have been for any host.
  return left.length === hosts.length || left.some(({ chosen }) => !chosen) ? whole : left.map(({ host }) => host);
}

/** What a run was made from and is otherwise now, one a line. */
function differences(record: RunRecord, directory: string, hosts: Readonly<Record<string, string>>): readonly string[] {
  const sources = readSources(resolve(directory, record.playbook.file), directory);
  return [
    ...differingNames(record.playbook.sources, sources).map((file) => `playbook: ${file}`),
    ...differingNames(record.inventory.hosts, hosts).map((host) => `inventory: ${host}, in ${record.inventory.file}`),
  ];
}

function refuseChanged(record: RunRecord, { anyway }: ResumeRequest, changed: readonly string[]): void {
  if (changed.length === 0 || anyway) return;
  throw new ResumeError(`what the run ${record.id} was made from has changed since`, {
    detail: changed.join("\n"),
    hint: `kb play ${record.playbook.file} plays it as it is now; kb resume ${record.id} --anyway goes on with it`,
  });
}

function connectionOf({ connection }: RunRecord, given: Partial<ConnectionRequest>): ConnectionRequest {
  // Erasure point: this was written from a ConnectionRequest, whose fields are text and flags.
  const recorded = connection as Partial<ConnectionRequest>;
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { askBecomePass: false, ...recorded, ...said };
}
