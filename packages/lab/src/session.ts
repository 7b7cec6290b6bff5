import { spawn } from "node:child_process";
import { constants } from "node:os";
import { LabError } from "./errors.ts";
import { labPaths } from "./lab-dir.ts";
import { controllerNamespace } from "./names.ts";
import { inNamespace } from "./network/namespaces.ts";
import { requireRecord } from "./record.ts";

/** How a command in a lab is run. */
export interface RunOptions {
  /** Working directory; default this process' own. */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment by which `kb` finds a lab's key and the keys of its hosts. */
export function labEnvironment(name: string): Readonly<Record<string, string>> {
  const { sshKey, knownHosts } = labPaths(name);
  return { KB_LAB: name, KB_SSH_KEY: sshKey, KB_KNOWN_HOSTS: knownHosts };
}

/** The argument array that runs `argv` in a lab's controller, where the hosts' names are known. */
export function controllerArgv(name: string, argv: readonly string[]): readonly string[] {
  const underLabHosts = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
  return inNamespace(controllerNamespace(name), [
    ...["unshare", "--mount", "--propagation=slave", "--"],
    ...["/bin/sh", "-c", underLabHosts, "sh", labPaths(name).hostsFile, ...argv],
  ]);
}

/**
 * Run a command in the lab's controller, on this process' own terminal, and give back its exit code. The network it
 * sees is the lab's, and only that; files are the machine's.
 */
export async function run(name: string, argv: readonly string[], options: RunOptions = {}): Promise<number> {
  requireRecord(name);
  if (argv.length === 0) throw new LabError("nothing to run: name a command", { exitCode: 2 });
  const [file = "", ...args] = controllerArgv(name, argv);
  const child = spawn(file, args, {
    stdio: "inherit",
    env: { ...process.env, ...labEnvironment(name), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  // Ctrl-C reaches the child from the terminal; what is sent to this process alone is handed on.
  const ignore = () => undefined;
  const handOn = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", ignore).on("SIGTERM", handOn).on("SIGHUP", handOn);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", (cause) => reject(new LabError(`cannot start ${argv[0]} in lab ${name}`, { cause })));
      child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    process.off("SIGINT", ignore).off("SIGTERM", handOn).off("SIGHUP", handOn);
  }
}

/** The `ssh` command line for a host of a lab: its key, its known hosts, none of the user's own settings. */
export function sshArgv(name: string, host: string, argv: readonly string[] = []): readonly string[] {
  const { sshKey, knownHosts } = labPaths(name);
  const target = host.includes("@") ? host : `root@${host}`;
  const options = ["StrictHostKeyChecking=yes", `UserKnownHostsFile=${knownHosts}`, "IdentitiesOnly=yes"];
  return ["ssh", "-F", "none", "-i", sshKey, ...options.flatMap((option) => ["-o", option]), target, "--", ...argv];
}

/** Log in to a host of a lab (`NAME` or `USER@NAME`; default user root), or run one command there. */
export async function ssh(name: string, host: string, argv: readonly string[] = []): Promise<number> {
  const { spec } = requireRecord(name);
  const wanted = host.replace(/^.*@/, "");
  const names = spec.hosts.flatMap((one) => [one.name, one.address, ...(one.aliases ?? [])]);
  if (!names.includes(wanted)) {
    const known = spec.hosts.map((one) => one.name).join(", ");
    throw new LabError(`lab ${name} has no host "${wanted}"; it has ${known}`, { exitCode: 2 });
  }
  return run(name, sshArgv(name, host, argv));
}
