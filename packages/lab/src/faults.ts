import { rmSync } from "node:fs";
import { attempt, type CommandResult } from "./command.ts";
import { LabError } from "./errors.ts";
import { cutPower, initOf } from "./host/boot.ts";
import { readHostRecord } from "./host/file-system.ts";
import { bootHosts, gatherMaterials, prepareHosts } from "./host/start.ts";
import { detachVolumes } from "./host/volumes.ts";
import { hostPaths } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { checkMachine } from "./machine.ts";
import { unmountBelow } from "./mounts.ts";
import { unplugHost } from "./network/namespaces.ts";
import { type LabRecord, requireHost } from "./record.ts";
import type { LabHost } from "./spec.ts";

/** How a command in a host is run. */
export interface ExecOptions {
  /** Milliseconds until it is killed; default 30,000. */
  readonly timeoutMs?: number;
  /** Written to its standard input. */
  readonly input?: string;
}

const HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Run a command in a host as its root, from the machine: neither the lab's network nor the host's sshd is needed.
 * Any exit code is an answer.
 *
 * @throws {LabError} when the host does not run, or the command outlives its deadline.
 */
export async function exec(
  lab: string,
  host: string,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<CommandResult> {
  requireHost(lab, host);
  const init = initOf(lab, host);
  if (init === undefined) throw new LabError(`${host} of lab ${lab} does not run`);
  const spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wdns=/"];
  const environment = ["env", "--ignore-environment", `PATH=${HOST_PATH}`, "HOME=/root", "LC_ALL=C.UTF-8"];
  return attempt(["nsenter", `--target=${init}`, ...spaces, "--", ...environment, ...argv], options);
}

/** A process of a host. */
export interface HostProcess {
  /** Its id inside the host. */
  readonly pid: number;
  readonly parent: number;
  readonly user: string;
  /** Its command line. */
  readonly command: string;
}

/** The processes of a host, those of its containers among them. */
export async function processes(lab: string, host: string): Promise<readonly HostProcess[]> {
  const { stdout } = await exec(lab, host, ["ps", "-e", "-o", "pid=,ppid=,user:32=,args="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, user, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (user === undefined || args === undefined) return [];
    return [{ pid: Number(pid), parent: Number(parent), user, command: args }];
  });
}

/** Send a signal (default KILL) to every process of a host that is called `name`; how many there were. */
export async function killProcess(lab: string, host: string, name: string, signal = "KILL"): Promise<number> {
  const { stdout } = await exec(lab, host, ["pgrep", "--exact", name]);
  const pids = stdout.split("\n").filter(Boolean);
  if (pids.length > 0) await exec(lab, host, ["kill", `-${signal}`, ...pids]);
  return pids.length;
}

/** Cut a host's power: everything in it ends at once, nothing is written to its disks any more. */
export async function powerOff(lab: string, host: string): Promise<void> {
  requireHost(lab, host);
  await withLock(lab, () => cutPower(lab, host));
}

/** Boot a host that was powered off, with its disks as they were, and wait until it answers on SSH. */
export async function powerOn(lab: string, host: string): Promise<void> {
  checkMachine();
  const { record, host: wanted } = requireHost(lab, host);
  const base = readHostRecord(lab, host)?.base;
  if (base === undefined) throw new LabError(`${host} of lab ${lab} was never made: bring the lab up`);
  await withLock(lab, () => boot(record, wanted, base));
}

/** Put a new machine in a host's place: same name and address, empty disks, a bare system, new host keys. */
export async function replaceHost(lab: string, host: string): Promise<void> {
  checkMachine();
  const { record, host: wanted } = requireHost(lab, host);
  const base = readHostRecord(lab, host)?.base;
  if (base === undefined) throw new LabError(`${host} of lab ${lab} was never made: bring the lab up`);
  await withLock(lab, async () => {
    const { dir } = hostPaths(lab, host);
    await cutPower(lab, host);
    await unplugHost(lab, wanted);
    await unmountBelow(dir);
    await detachVolumes(dir);
    rmSync(dir, { recursive: true, force: true });
    await boot(record, wanted, base);
  });
}

async function boot({ spec, subnet }: LabRecord, host: LabHost, base: string): Promise<void> {
  await prepareHosts(spec, [host], subnet, await gatherMaterials(spec, subnet, base));
  await bootHosts(spec, [host]);
}
