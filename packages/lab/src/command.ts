import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { LabError } from "./errors.ts";

/** How a command of the machine is run; each has a deadline. */
export interface CommandOptions {
  /** Milliseconds until the command is killed; default 30,000. */
  readonly timeoutMs?: number;
  /** Written to standard input, which is then closed; default nothing. */
  readonly input?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes besides 0 that are an answer and not a failure. */
  readonly okCodes?: readonly number[];
  /** File that gets the output instead of the caller. */
  readonly logFile?: string;
  /** Control group in which the command and all that it starts run, so that they can be ended together. */
  readonly cgroupDir?: string;
}

/** What a finished command left. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TAIL_CHARACTERS = 2000;

/**
 * Run a command of the machine, as an argument array, and give back its output.
 *
 * @throws {LabError} when it cannot be started, ends with an unexpected code, or outlives its deadline.
 */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const result = await attempt(argv, options);
  if (result.code !== 0 && !(options.okCodes ?? []).includes(result.code)) {
    const output = `${result.stdout}\n${result.stderr}`.trim().slice(-TAIL_CHARACTERS);
    throw new LabError(`\`${argv.join(" ")}\` ended with ${result.code}:\n${output || "(no output)"}`);
  }
  return result;
}

/** The standard output of {@link command}, without the last line's end. */
export async function outputOf(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  return (await command(argv, options)).stdout.trimEnd();
}

/** {@link command}, whose failure is an answer too: only a deadline or a missing program is an error. */
export function attempt(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file, ...args] = options.cgroupDir === undefined ? argv : bornIn(options.cgroupDir, argv);
  if (file === undefined) throw new LabError("a command needs at least its name");
  const timeoutMs = options.timeoutMs ?? 30_000;
  const log = options.logFile === undefined ? undefined : openSync(options.logFile, "a");
  const result = new Promise<CommandResult>((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
      stdio: ["pipe", log ?? "pipe", log ?? "pipe"],
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const deadline = setTimeout(() => {
      child.kill("SIGKILL");
      // What it started may hold its output open for long: do not wait for that.
      for (const stream of child.stdio) stream?.destroy();
      reject(new LabError(`\`${argv.join(" ")}\` was still running after ${timeoutMs} ms; it was ended`));
    }, timeoutMs);
    child.on("error", (cause) => {
      clearTimeout(deadline);
      reject(new LabError(`cannot start \`${argv.join(" ")}\`: ${cause.message}`, { cause }));
    });
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      const end = signal === null ? "" : `\nended by ${signal}`;
      resolve({ code: code ?? 128, stdout: stdout(), stderr: stderr() + end });
    });
    child.stdin?.on("error", () => undefined); // A command that reads no input may close it first.
    child.stdin?.end(options.input ?? "");
  });
  return result.finally(() => {
    if (log !== undefined) closeSync(log);
  });
}

/** Keep what a stream brings; gives a function that joins it. */
function collect(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

/** The argument array of a command that moves into a control group before it begins. */
function bornIn(cgroupDir: string, argv: readonly string[]): readonly string[] {
  return ["/bin/sh", "-c", 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"', "sh", cgroupDir, ...argv];
}

/**
 * Start a program that outlives this process: a session of its own, no terminal, its output in `logFile`.
 * It is born inside the control group `cgroupDir`, by which it is later found and ended.
 */
export function startDetached(
  argv: readonly string[],
  options: {
    readonly cgroupDir: string;
    readonly logFile: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const log = openSync(options.logFile, "a");
  const [file = "", ...args] = bornIn(options.cgroupDir, argv);
  return new Promise<void>((resolve, reject) => {
    const child = spawn(file, args, {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...options.env },
      cwd: "/",
    });
    child.once("error", (cause) => reject(new LabError(`cannot start \`${argv.join(" ")}\``, { cause })));
    child.once("spawn", () => {
      child.unref();
      resolve();
    });
  }).finally(() => closeSync(log));
}
