import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { controllerArgv, labEnvironment } from "@keybuzz/lab";
import type { SshOptions, Target } from "@keybuzz/runner";

const MAIN = fileURLToPath(new URL("connect-main.ts", import.meta.url));
const TIMEOUT_MS = 120_000;

/** What is to be reached, and how. */
export interface ConnectRequest {
  readonly targets: readonly (Omit<Target, "password"> & { readonly password?: string })[];
  readonly options: Omit<SshOptions, "askPassphrase" | "ask"> & { readonly passphrase?: string };
  /** Run on each of them. */
  readonly command: string;
  /** PATH of the programs that are started in there. */
  readonly path?: string;
  /** One after the other, in place of all at once. */
  readonly oneByOne?: boolean;
}

/** What came of one target. */
export interface Outcome {
  readonly name: string;
  readonly ms: number;
  readonly user?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly error?: string;
  readonly detail?: string;
  readonly hint?: string;
}

/** What came of all. */
export interface Reached {
  readonly outcomes: readonly Outcome[];
  /** Most memory that the controller had. */
  readonly rssMib: number;
  /** How often a passphrase was asked for. */
  readonly asked: number;
}

/** Connects from inside a lab, with its key and its known hosts unless told otherwise. */
export async function connectMany(
  lab: string,
  request: Partial<ConnectRequest> & Pick<ConnectRequest, "targets">,
  env: Readonly<Record<string, string>> = {},
): Promise<Reached> {
  const { KB_SSH_KEY = "", KB_KNOWN_HOSTS = "" } = labEnvironment(lab);
  const options = { knownHostsFiles: [KB_KNOWN_HOSTS], configFile: "none", ...request.options };
  const targets = request.targets.map((target) => ({ privateKeyFile: KB_SSH_KEY, ...target }));
  const full: ConnectRequest = { command: "id -un", ...request, options, targets };
  const [file = "", ...args] = controllerArgv(lab, [process.execPath, MAIN]);
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, SSH_AUTH_SOCK: "", ...env },
    timeout: TIMEOUT_MS,
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.end(JSON.stringify(full));
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`connecting ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Reached;
}

/** A target on ssh, by its address and port. */
export function target(name: string, address: string, more: Partial<ConnectRequest["targets"][number]> = {}) {
  return { name, address, connection: "ssh", becomeUser: "root", ...more } as const;
}
