import { existsSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { command } from "../command.ts";
import { controllerNamespace } from "../names.ts";
import { inNamespace, namespacePath } from "../network/namespaces.ts";

/** Addresses and how long to wait for all of them. */
export interface ReachQuestion {
  readonly addresses: readonly string[];
  readonly timeoutMs: number;
}

/** What each address' sshd said, or null when it never did. */
export type ReachAnswer = Readonly<Record<string, string | null>>;

const SSH_PORT = 22;
const ATTEMPT_MS = 1000;
const PAUSE_MS = 100;

/** Ask from the lab's controller, in a process of its own: a namespace is entered by whole processes. */
export async function reachFromController(lab: string, question: ReachQuestion): Promise<ReachAnswer> {
  const isThere = existsSync(namespacePath(controllerNamespace(lab)));
  if (!isThere || question.addresses.length === 0) return {};
  const script = fileURLToPath(new URL(`./reach-main${import.meta.url.slice(-3)}`, import.meta.url));
  const argv = inNamespace(controllerNamespace(lab), [process.execPath, script, JSON.stringify(question)]);
  const { stdout } = await command(argv, { timeoutMs: question.timeoutMs + 10_000 });
  return JSON.parse(stdout) as ReachAnswer;
}

/** Wait until sshd answers at each address, or the time is over. */
export async function reach({ addresses, timeoutMs }: ReachQuestion): Promise<ReachAnswer> {
  const deadline = Date.now() + timeoutMs;
  const answers = addresses.map(async (address) => [address, await banner(address, deadline)] as const);
  return Object.fromEntries(await Promise.all(answers));
}

async function banner(address: string, deadline: number): Promise<string | null> {
  for (;;) {
    const left = deadline - Date.now();
    if (left <= 0) return null;
    const line = await firstLine(address, Math.min(ATTEMPT_MS, left));
    if (line?.startsWith("SSH-")) return line;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function firstLine(address: string, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: SSH_PORT });
    const done = (line: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(line);
    };
    // The kernel's own time-out for a host that is not there yet is minutes.
    const timer = setTimeout(() => done(null), timeoutMs);
    socket.once("data", (chunk) => done(chunk.toString().split("\r\n")[0] ?? null));
    socket.once("error", () => done(null));
    socket.once("close", () => done(null));
  });
}
