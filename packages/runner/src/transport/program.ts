import { spawn } from "node:child_process";

/** How a program on the controller ended. */
export type ProgramEnd = { readonly stdout: string; readonly stderr: string } & (
  | { readonly kind: "exited"; readonly exitCode: number }
  | { readonly kind: "killed"; readonly signal: string }
  | { readonly kind: "timed-out"; readonly timeoutMs: number }
  /** It printed more than it may. */
  | { readonly kind: "too-long"; readonly maxBytes: number }
  | { readonly kind: "failed"; readonly cause: Error }
);

/** Limits of {@link runProgram}. */
export interface ProgramOptions {
  readonly timeoutMs: number;
  /** Most bytes of standard output; 16 MiB unless given. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 16 * 1024 * 1024;
/** Enough of standard error to see what went wrong. */
const STDERR_BYTES = 4096;
/** Milliseconds that a program has to end after it was asked to. */
const KILL_MS = 2_000;

/**
 * Runs a program on the controller, its arguments as they are (no shell), standard input closed, and gives what it
 * printed. Never rejects: that it does not start, takes too long or prints too much is in the answer.
 */
export function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  const { timeoutMs, maxBytes = MAX_BYTES } = options;
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    const stdout: Buffer[] = [];
    let stderr = Buffer.alloc(0);
    let bytes = 0;
    let timer: NodeJS.Timeout | undefined;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const end = (how: DistributedEnd): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ ...how, stdout: Buffer.concat(stdout).toString("utf8"), stderr: stderr.toString("utf8") });
    };
    const stop = (how: DistributedEnd): void => {
      child.kill("SIGTERM");
      // Its children may hold the pipes open after it: nobody waits for those.
      setTimeout(() => child.kill("SIGKILL"), KILL_MS).unref();
      end(how);
    };
    timer = setTimeout(() => stop({ kind: "timed-out", timeoutMs }), timeoutMs);
    child.once("error", (cause) => end({ kind: "failed", cause }));
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) stop({ kind: "too-long", maxBytes });
      else stdout.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES);
    });
    child.once("close", (code, signal) => {
      end(code === null ? { kind: "killed", signal: signal ?? "a signal" } : { kind: "exited", exitCode: code });
    });
  });
}

type WithoutOutput<T> = T extends unknown ? Omit<T, "stdout" | "stderr"> : never;
type DistributedEnd = WithoutOutput<ProgramEnd>;

/** How it ended, in words: `exit 1`, `no end within 60 s`. */
export function describeEnd(end: ProgramEnd): string {
  switch (end.kind) {
    case "exited":
      return `exit ${end.exitCode}`;
    case "killed":
      return `it got ${end.signal}`;
    case "timed-out":
      return `no end within ${end.timeoutMs / 1000} s`;
    case "too-long":
      return `it printed more than ${end.maxBytes} bytes`;
    case "failed":
      return end.cause.message;
  }
}

/**
 * Runs a program on the operator's terminal, as an editor is: what it reads and writes is theirs. Ctrl-C is the
 * program's to understand, not ours.
 * @returns its exit code; 127 where it cannot be started
 */
export function runOnTerminal(argv: readonly string[]): Promise<number> {
  const [program = "", ...args] = argv;
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve) => {
    const child = spawn(program, args, { stdio: "inherit" });
    child.once("error", () => resolve(127));
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignore));
}
