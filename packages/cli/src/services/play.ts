import type { Inventory, TaskSelection } from "@keybuzz/runner";
import type { Reporter } from "../reporters/reporter.ts";
import { askOnTerminal } from "./ask-step.ts";
import type { ConnectionRequest } from "./connection.ts";
import { findInventory, readInventory } from "./find-inventory.ts";
import { findPlaybook, loadPlaybook } from "./find-playbook.ts";
import { matchLimit } from "./limit.ts";
import { parseParams } from "./params.ts";
import { recorded } from "./record-run.ts";
import { type Run, runPlaybook } from "./run-playbook.ts";
import { shownPath } from "./shown-path.ts";

/** `kb play`, as its command line was. */
export interface PlayRequest {
  readonly playbook: string;
  readonly inventory: string | undefined;
  readonly check: boolean;
  readonly diff: boolean;
  readonly limit: string | undefined;
  readonly forks: number | undefined;
  /** `NAME=VALUE` each. */
  readonly params: readonly string[];
  readonly exitCode: boolean;
  /** What of the tasks is carried out. */
  readonly select?: TaskSelection;
  /** Whether each task is asked about on the terminal. */
  readonly step?: boolean;
  readonly connection: ConnectionRequest;
  readonly directory: string;
}

/** A run with the file that its playbook was found in. */
export interface PreparedRun {
  readonly run: Run;
  readonly playbookFile: string;
}

/**
 * Finds a playbook and an inventory and plays the one against the other, and leaves a journal.
 * @throws UsageError before any connection is made
 */
export async function playByName(request: PlayRequest, reporter: Reporter): Promise<number> {
  const { run, playbookFile } = await prepareRun(request, reporter);
  return recorded({ command: "play", run, playbookFile }, reporter, (told) => runPlaybook(run, told));
}

/**
 * Finds what a command line names.
 * @throws UsageError for what is not there, or does not fit
 */
export async function prepareRun(request: PlayRequest, reporter: Reporter): Promise<PreparedRun> {
  const params = parseParams(request.params);
  const confirm = request.step === true ? askOnTerminal(() => reporter.suspend()) : undefined;
  const playbookFile = findPlaybook(request.playbook, request.directory);
  const playbook = await loadPlaybook(playbookFile);
  const inventory = await openInventory(request.inventory, request.directory, reporter);
  const limit = request.limit === undefined ? undefined : matchLimit(inventory, request.limit, request.directory);
  const run: Run = {
    playbook,
    inventory,
    limit,
    params,
    mode: request.check ? "check" : "apply",
    diff: request.diff,
    forks: request.forks,
    directory: request.directory,
    connection: request.connection,
    driftIsExit: request.exitCode,
    ...(request.select === undefined ? {} : { select: request.select }),
    ...(confirm === undefined ? {} : { confirm }),
  };
  return { run, playbookFile };
}

/** Reads the inventory, and says which it is: a log tells what it was made with. */
export async function openInventory(
  named: string | undefined,
  directory: string,
  reporter: Reporter,
): Promise<Inventory> {
  const file = findInventory(named, directory);
  reporter.emit({ type: "note", level: "info", text: `inventory: ${shownPath(file, directory)}` });
  const inventory = await readInventory(file, directory);
  for (const text of inventory.warnings) reporter.emit({ type: "note", level: "warn", text });
  return inventory;
}
