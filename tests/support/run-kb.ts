import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that the command is started in: it has playbooks/ and inventories/, whose hosts are this machine. */
export const FIXTURES = fileURLToPath(new URL("../fixtures/cli", import.meta.url));

const BIN = fileURLToPath(new URL("../../packages/cli/bin/kb.js", import.meta.url));

/** What a command left behind. */
export interface KbResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is started. */
export interface KbOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; empty unless given. */
  readonly input?: string;
  /** 30 000 unless given. */
  readonly timeoutMs?: number;
  /** Called with each piece of output. */
  readonly onOutput?: (child: ChildProcess, text: string) => void;
}

/** Runs the real command on this machine. Its lock is its own: other tests work on this machine too. */
export async function runKb(argv: readonly string[], options: KbOptions = {}): Promise<KbResult> {
  const locks = mkdtempSync(join(tmpdir(), "kb-locks-"));
  const inherited = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd: FIXTURES,
    env: { ...inherited, KB_LOCK_FOLDER: locks, KB_RUNS: join(locks, "runs"), ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 30_000,
  });
  // A command that ends before it has read all of it is its own affair.
  child.stdin.on("error", () => {}).end(options.input ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    options.onOutput?.(child, text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return { code, stdout, stderr };
  } finally {
    rmSync(locks, { recursive: true, force: true });
  }
}
