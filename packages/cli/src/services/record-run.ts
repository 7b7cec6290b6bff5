import { userInfo } from "node:os";
import { relative, resolve } from "node:path";
import { EXIT, type RunEvent } from "@keybuzz/runner";
import {
  digestInventory,
  Journal,
  makeDigest,
  newDigestKey,
  newRunId,
  pruneRuns,
  type RunStart,
  readCommit,
  readSources,
  secretParamsOf,
} from "@keybuzz/runner/durable";
import type { Reporter } from "../reporters/reporter.ts";
import type { Run } from "./run-playbook.ts";
import { runsFolder } from "./runs-folder.ts";
import { kbVersion } from "./version.ts";

/** What a journal keeps of how a run was asked for. */
export interface RecordRequest {
  readonly command: "play" | "apply";
  readonly run: Run;
  readonly playbookFile: string;
  /** The run that this one goes on with. */
  readonly resumes?: string | undefined;
  /** The saved plan that it carries out. */
  readonly plan?: string;
}

/**
 * Does a run with a reporter that keeps a journal of it, from its first event to its last; what fails before there is
 * a run leaves none. A journal that cannot be written is told once, and does not keep the run from its work.
 */
export async function recorded(
  request: RecordRequest,
  reporter: Reporter,
  work: (reporter: Reporter) => Promise<number>,
): Promise<number> {
  const start = describeRun(request);
  const recorder = new RunRecorder(runsFolder(request.run.directory), start, reporter);
  try {
    return await work({ ...reporter, emit: (event) => recorder.next(event) });
  } finally {
    await recorder.close();
  }
}

/** @throws ParamsError for params that the playbook refuses */
function describeRun({ command, run, playbookFile, resumes, plan }: RecordRequest): RunStart {
  const key = newDigestKey();
  const secretParams = secretParamsOf(run.playbook, run.params);
  const inventoryFile = resolve(run.directory, run.inventory.file);
  return {
    id: newRunId(),
    command,
    playbook: {
      name: run.playbook.name,
      file: relative(run.directory, playbookFile),
      sources: readSources(playbookFile, run.directory),
    },
    inventory: {
      file: relative(run.directory, inventoryFile),
      hosts: digestInventory(run.inventory, makeDigest(key)),
    },
    key,
    mode: run.mode,
    diff: run.diff,
    limit: run.limit === undefined ? null : [...run.limit],
    select: run.select ?? null,
    forks: run.forks ?? null,
    params: Object.fromEntries(Object.entries(run.params).filter(([name]) => !secretParams.includes(name))),
    secretParams: [...secretParams],
    connection: Object.fromEntries(Object.entries(run.connection).filter(([, value]) => value !== undefined)),
    kbVersion: kbVersion(),
    commit: readCommit(playbookFile) ?? null,
    user: userInfo().username,
    resumes: resumes ?? null,
    plan: plan ?? null,
  };
}

class RunRecorder {
  readonly #folder: string;
  readonly #start: RunStart;
  readonly #reporter: Reporter;
  #journal: Journal | undefined;
  #ending: Promise<void> | undefined;

  constructor(folder: string, start: RunStart, reporter: Reporter) {
    this.#folder = folder;
    this.#start = start;
    this.#reporter = reporter;
  }

  next(event: RunEvent): void {
    if (event.type === "run-start") this.#open();
    const journal = this.#journal;
    if (journal !== undefined) this.#guarded(() => journal.write(event));
    if (event.type === "run-end" && this.#journal !== undefined) this.#advise(this.#journal.id, event.exitCode);
    this.#reporter.emit(event);
    if (event.type === "run-end") this.#ending = this.#journal?.end(event.exitCode);
  }

  /** The run is over, and so is its journal, on the disk. */
  async close(): Promise<void> {
    try {
      await this.#ending;
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #open(): void {
    this.#guarded(() => {
      this.#journal = Journal.open(this.#folder, this.#start);
      pruneRuns(this.#folder);
    });
  }

  #guarded(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.#journal = undefined;
    const text = `this run is not recorded: ${error instanceof Error ? error.message : String(error)}`;
    this.#reporter.emit({ type: "note", level: "warn", text });
  }

  /** Where a run did not come to its end, how to go on. */
  #advise(id: string, exitCode: number): void {
    if (this.#start.mode === "check" || exitCode === EXIT.converged) return;
    const text = `recorded as ${id}: kb runs show tells what was done, kb resume goes on where it failed`;
    this.#reporter.emit({ type: "note", level: "info", text });
  }
}
