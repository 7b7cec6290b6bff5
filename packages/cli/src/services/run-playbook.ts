import {
  EXIT,
  type Inventory,
  type Overseer,
  type Playbook,
  type PlayOptions,
  play,
  type RunEvent,
  type TaskSelection,
} from "@keybuzz/runner";
import type { Reporter } from "../reporters/reporter.ts";
import { type ConnectionRequest, prepareReach, type Reach } from "./connection.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { resolverFor } from "./inventory-secrets.ts";

/** A playbook and an inventory, with what the command line says about the run. */
export interface Run {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly mode: "check" | "apply";
  readonly diff: boolean;
  readonly limit: readonly string[] | undefined;
  readonly forks: number | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly connection: ConnectionRequest;
  /** How to reach hosts, where that was prepared before, and nobody is to be asked again. */
  readonly reach?: Reach;
  /** Whether changes that check mode foresees end the command with exit code 3. */
  readonly driftIsExit: boolean;
  /** Sees every decision before anything comes of it. */
  readonly overseer?: Overseer;
  /** What of the tasks is carried out; all but those tagged `never` unless given. */
  readonly select?: TaskSelection;
  /** Asks before each task, on the terminal. */
  readonly confirm?: PlayOptions["confirm"];
}

/**
 * Plays a playbook, with Ctrl-C, questions on the terminal and exit codes as the command line promises them.
 * @throws UsageError for input that does not fit, before any connection is made
 */
export async function runPlaybook(run: Run, reporter: Reporter): Promise<number> {
  const reach = run.reach ?? (await prepareReach(run.connection, () => reporter.suspend()));
  const interrupt = listenForInterrupt((text) => reporter.emit({ type: "note", level: "warn", text }));
  let exitCode: number = EXIT.converged;
  const emit = (event: RunEvent): void => {
    interrupt.note(event);
    const told = event.type === "run-end" && run.driftIsExit ? withDrift(event) : event;
    if (told.type === "run-end") exitCode = told.exitCode;
    reporter.emit(told);
  };
  try {
    await play(run.playbook, {
      inventory: run.inventory,
      mode: run.mode,
      diff: run.diff,
      params: run.params,
      directory: run.directory,
      interrupt: interrupt.signal,
      emit,
      resolveSecret: await resolverFor(
        run.inventory,
        run.directory,
        () => reporter.suspend(),
        (text) => reporter.emit({ type: "note", level: "info", text }),
      ),
      ...reach,
      ...(run.limit === undefined ? {} : { limit: run.limit }),
      ...(run.forks === undefined ? {} : { forks: run.forks }),
      ...(run.overseer === undefined ? {} : { overseer: run.overseer }),
      ...(run.select === undefined ? {} : { select: run.select }),
      ...(run.confirm === undefined ? {} : { confirm: run.confirm }),
      ...(process.env["KB_LOCK_TTL"] === undefined
        ? {}
        : { lockTtlSeconds: Number(process.env["KB_LOCK_TTL"]) || 300 }),
      ...(process.env["KB_LOCK_FOLDER"] === undefined ? {} : { lockFolder: process.env["KB_LOCK_FOLDER"] }),
    });
    return exitCode;
  } finally {
    interrupt.close();
  }
}

function withDrift(event: Extract<RunEvent, { type: "run-end" }>): RunEvent {
  const drift = event.recap.some(({ changed, unknown }) => changed + unknown > 0);
  return drift && event.exitCode === EXIT.converged ? { ...event, exitCode: EXIT.drift } : event;
}
