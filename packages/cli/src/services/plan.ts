import { relative, resolve } from "node:path";
import { EXIT, type RunEvent } from "@keybuzz/runner";
import {
  makeDigest,
  newDigestKey,
  PlanRecorder,
  readCommit,
  type SavedPlan,
  secretParamsOf,
  writePlan,
} from "@keybuzz/runner/durable";
import type { Reporter } from "../reporters/reporter.ts";
import { type PlayRequest, type PreparedRun, prepareRun } from "./play.ts";
import { runPlaybook } from "./run-playbook.ts";
import { shownPath } from "./shown-path.ts";
import { kbVersion } from "./version.ts";

/** `kb plan`, as its command line was. */
export interface PlanRequest extends Omit<PlayRequest, "check" | "diff"> {
  /** Where to keep the plan; nowhere unless given. */
  readonly out: string | undefined;
}

/** Events that a plan does not keep: they tell of how it was made, not of what it holds. */
const PASSING: readonly RunEvent["type"][] = ["host-connected", "task-start", "output"];

/**
 * A check run with all its differences, kept as a plan where asked. A run that failed anywhere leaves none: what such a
 * host would need is not known.
 * @throws UsageError before any connection is made
 */
export async function makePlan(request: PlanRequest, reporter: Reporter): Promise<number> {
  const prepared = await prepareRun({ ...request, check: true, diff: true }, reporter);
  const key = newDigestKey();
  const recorder = new PlanRecorder(makeDigest(key));
  const events: RunEvent[] = [];
  const emit = (event: RunEvent): void => {
    if (!PASSING.includes(event.type)) events.push(event);
    reporter.emit(event);
  };
  const exitCode = await runPlaybook({ ...prepared.run, overseer: recorder }, { ...reporter, emit });
  if (request.out === undefined) return exitCode;
  const path = resolve(request.directory, request.out);
  if (exitCode !== EXIT.converged && exitCode !== EXIT.drift) {
    reporter.emit({ type: "note", level: "warn", text: "no plan was written: it would not be whole" });
    return exitCode;
  }
  const tasks = recorder.tasks.map(({ state, ...task }) => task);
  writePlan(path, { ...describePlan(prepared, key), tasks, events });
  const shown = shownPath(path, request.directory);
  reporter.emit({ type: "note", level: "info", text: `written to ${shown}; to carry it out: kb apply ${shown}` });
  return exitCode;
}

function describePlan({ run, playbookFile }: PreparedRun, key: string): Omit<SavedPlan, "tasks" | "events"> {
  const secretParams = secretParamsOf(run.playbook, run.params);
  const inventoryFile = resolve(run.directory, run.inventory.file);
  return {
    format: "keybuzz-plan",
    version: 1,
    madeAt: new Date().toISOString(),
    kbVersion: kbVersion(),
    commit: readCommit(playbookFile) ?? null,
    playbook: { name: run.playbook.name, file: relative(run.directory, playbookFile) },
    inventory: { file: relative(run.directory, inventoryFile) },
    limit: run.limit === undefined ? null : [...run.limit],
    params: Object.fromEntries(Object.entries(run.params).filter(([name]) => !secretParams.includes(name))),
    secretParams: [...secretParams],
    select: run.select ?? null,
    key,
  };
}
