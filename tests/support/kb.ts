import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { controllerArgv, labEnvironment } from "@keybuzz/lab";
import type { HostRecap, TableRow, TaskResult } from "@keybuzz/runner";

const ROOT = resolve(import.meta.dirname, "../..");

/** An error as `--json` writes it. */
export interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly host?: string;
  readonly task?: string;
  readonly where?: string;
}

/** An event as `--json` writes it, as far as tests read it. */
export interface ToldEvent {
  readonly type: string;
  readonly host?: string;
  readonly task?: string;
  readonly result?: TaskResult;
  readonly error?: ToldError;
  readonly recap?: readonly HostRecap[];
  readonly title?: string;
  readonly rows?: readonly TableRow[];
  readonly text?: string;
}

/** What a run of `kb` did and told. */
export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly ToldEvent[];
  readonly results: readonly TaskResult[];
  readonly recap: readonly HostRecap[];
}

export interface KbOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds, 10 minutes unless given. */
  readonly timeoutMs?: number;
  /** Working directory; the project's root unless given. */
  readonly cwd?: string;
}

/** A running `kb`, to be waited for, interrupted or killed. */
export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Ran>;
  /** Resolves when the output holds a text; rejects when kb ends before. */
  told(text: string, timeoutMs?: number): Promise<void>;
}

/** Starts `kb` in a lab's controller, where its hosts can be reached and nothing else. */
export function startKb(lab: string, args: readonly string[], options: KbOptions = {}): Running {
  const [command = "", ...argv] = controllerArgv(lab, [resolve(ROOT, "kb"), ...args]);
  const child = spawn(command, argv, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...labEnvironment(lab), NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
    for (const listener of listeners) listener();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 600_000);
  const done = new Promise<Ran>((resolveRan, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolveRan(toRan(exitCode, stdout, stderr));
    });
  });
  const told = (text: string, timeoutMs = 60_000): Promise<void> =>
    new Promise((resolveTold, reject) => {
      const fail = (why: string): void => reject(new Error(`kb did not say "${text}": ${why}\n${stdout}${stderr}`));
      const limit = setTimeout(() => fail(`${timeoutMs} ms are over`), timeoutMs);
      child.once("close", (code) => fail(`it ended with ${code}`));
      const look = (): void => {
        if (!stdout.includes(text)) return;
        clearTimeout(limit);
        listeners.delete(look);
        resolveTold();
      };
      listeners.add(look);
      look();
    });
  return { child, done, told };
}

/** Runs `kb` in a lab's controller to its end. */
export async function kb(lab: string, args: readonly string[], options: KbOptions = {}): Promise<Ran> {
  return startKb(lab, args, options).done;
}

/** `kb play ... --json`: the events are what tests look at. */
export async function play(lab: string, args: readonly string[], options: KbOptions = {}): Promise<Ran> {
  return kb(lab, ["play", ...args, "--json"], options);
}

function toRan(exitCode: number | null, stdout: string, stderr: string): Ran {
  const events = stdout.split("\n").flatMap((line): ToldEvent[] => {
    if (!line.startsWith("{")) return [];
    try {
      return [JSON.parse(line) as ToldEvent];
    } catch {
      return [];
    }
  });
  return {
    exitCode,
    stdout,
    stderr,
    events,
    results: events.flatMap(({ type, result }) => (type === "task-end" && result !== undefined ? [result] : [])),
    recap: events.flatMap(({ type, recap }) => (type === "run-end" && recap !== undefined ? recap : [])),
  };
}

/** `host: task` of every result with this outcome, sorted: sets of them are compared. */
export function having(ran: Ran, outcome: TaskResult["outcome"]): readonly string[] {
  return ran.results
    .filter((result) => result.outcome === outcome)
    .map(({ host, task }) => `${host}: ${task}`)
    .sort();
}

/** The errors that took hosts out of the run. */
export function errorsOf(ran: Ran): readonly ToldError[] {
  return ran.events.flatMap(({ error }) => (error === undefined ? [] : [error]));
}
