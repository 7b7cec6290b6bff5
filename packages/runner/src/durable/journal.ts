import { closeSync, fdatasync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RunEvent } from "../events.ts";
import { RECORD_VERSION, type RunRecord } from "./run-record.ts";
import { thisProcess } from "./this-process.ts";

/** What opens a journal: all that is known of a run when it starts, but the time and the process, which are now and this. */
export type RunStart = Omit<RunRecord, "version" | "process" | "startedAt" | "endedAt" | "exitCode">;

/** Files of a run's folder. */
export const RECORD_FILE = "run.json";
export const EVENTS_FILE = "events.ndjson";

const sync = promisify(fdatasync);

/**
 * What a run leaves behind on the controller: a folder (0700) with `run.json` and `events.ndjson` (0600).
 *
 * Every event is with the kernel before the run goes on, so that nothing of it is lost with the process. After a task
 * that changed something the file is synced to the disk as well, beside the run, so that a power cut loses the moments
 * before it at most.
 */
export class Journal {
  readonly id: string;
  readonly #folder: string;
  readonly #events: number;
  readonly #record: RunRecord;
  #syncing: Promise<void> | undefined;
  #dirty = false;

  private constructor(folder: string, events: number, record: RunRecord) {
    this.id = record.id;
    this.#folder = folder;
    this.#events = events;
    this.#record = record;
  }

  /**
   * Makes the run's folder below `runs`.
   * @throws Error of the file system
   */
  static open(runs: string, start: RunStart): Journal {
    const folder = join(runs, start.id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const record: RunRecord = {
      ...start,
      version: RECORD_VERSION,
      process: thisProcess(),
      startedAt: new Date().toISOString(),
      endedAt: null,
      exitCode: null,
    };
    const events = openSync(join(folder, EVENTS_FILE), "ax", 0o600);
    writeRecord(folder, record);
    return new Journal(folder, events, record);
  }

  /** Adds an event. @throws Error of the file system: a full disk */
  write(event: RunEvent): void {
    writeAll(this.#events, `${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
    if (event.type === "task-end" && event.result.outcome === "changed") this.#syncSoon();
  }

  /** The run has ended. @throws Error of the file system */
  async end(exitCode: number): Promise<void> {
    this.#syncSoon();
    await this.#syncing;
    closeSync(this.#events);
    writeRecord(this.#folder, { ...this.#record, endedAt: new Date().toISOString(), exitCode });
  }

  /** One sync at a time; changes that come meanwhile share the next. */
  #syncSoon(): void {
    this.#dirty = true;
    this.#syncing ??= this.#syncAll().finally(() => {
      this.#syncing = undefined;
    });
  }

  async #syncAll(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      await sync(this.#events);
    }
  }
}

/** Replaces the file as a whole, so that a reader finds the old one or the new one. */
function writeRecord(folder: string, record: RunRecord): void {
  const path = join(folder, RECORD_FILE);
  const file = openSync(`${path}.new`, "w", 0o600);
  try {
    writeAll(file, `${JSON.stringify(record, null, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

function writeAll(file: number, text: string): void {
  let rest: Buffer = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSync(file, rest));
}
