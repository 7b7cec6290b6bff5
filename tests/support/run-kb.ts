import { type ChildProcess, spawn } from "node:child_process";
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
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each piece of output. */
  readonly onOutput?: (child: ChildProcess, text: string) => void;
}

/**
 * Runs the real command. Its /run/lock is its own: tests elsewhere that work on this machine hold the machine's lock.
 * @see https://man7.org/linux/man-pages/man1/unshare.1.html
 */
export async function runKb(argv: readonly string[], options: KbOptions = {}): Promise<KbResult> {
  const namespaces = process.getuid?.() === 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
  const ownLocks = 'mount -t tmpfs none /run/lock && exec "$@"';
  const child = spawn("unshare", [...namespaces, "/bin/sh", "-c", ownLocks, "sh", process.execPath, BIN, ...argv], {
    cwd: options.cwd ?? FIXTURES,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    options.onOutput?.(child, text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr };
}
