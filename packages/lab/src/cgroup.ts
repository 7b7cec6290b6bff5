import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./errors.ts";

/**
 * Control groups are how the lab knows its own processes: each is born in one and cannot leave it, so that ending a
 * lab ends all of its processes and nobody else's, whatever was or was not written down before a crash.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export function cgroupMount(): string {
  const { unified } = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  if (unified !== undefined) return unified;
  throw new LabError("no cgroup2 file system is mounted: try `mount -t cgroup2 none /sys/fs/cgroup`", { exitCode: 2 });
}

/** Where the unified hierarchy is mounted, and systemd's own of version 1, on a machine that has it beside. */
export interface CgroupMounts {
  readonly unified?: string;
  readonly systemd?: string;
}

/** Read the mounts of control groups out of a process' `mountinfo`. */
export function parseCgroupMounts(mountinfo: string): CgroupMounts {
  const mounts: { unified?: string; systemd?: string } = {};
  for (const line of mountinfo.split("\n")) {
    const [mount = "", filesystem = ""] = line.split(" - ");
    const path = mount.split(" ")[4];
    if (path === undefined) continue;
    if (filesystem.startsWith("cgroup2 ")) mounts.unified ??= path;
    else if (/^cgroup .*\bname=systemd\b/.test(filesystem)) mounts.systemd ??= path;
  }
  return mounts;
}

/** The control group of a whole lab. */
export function labCgroup(lab: string): string {
  return join(cgroupMount(), "kblab", lab);
}

/** The control group of a host. */
export function hostCgroup(lab: string, host: string): string {
  return join(labCgroup(lab), `host-${host}`);
}

/** The control group of a service that a lab runs beside its hosts. */
export function serviceCgroup(lab: string, service: string): string {
  return join(labCgroup(lab), `service-${service}`);
}

/** Make a control group, handing down every controller that the machine lets go of. */
export function makeCgroup(path: string): void {
  const mount = cgroupMount();
  let parent = mount;
  for (const part of path.slice(mount.length + 1).split("/")) {
    delegateControllers(parent);
    parent = join(parent, part);
    if (!existsSync(parent)) mkdirSync(parent);
  }
}

function delegateControllers(path: string): void {
  const controllers = readFileSync(join(path, "cgroup.controllers"), "utf8").split(/\s+/).filter(Boolean);
  for (const controller of controllers) {
    try {
      writeFileSync(join(path, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // One that cannot be handed down (real-time tasks, a threaded parent) is only missing inside the hosts.
    }
  }
}

/** Does a process run in this control group or below it? */
export function isPopulated(path: string): boolean {
  try {
    return readFileSync(join(path, "cgroup.events"), "utf8").includes("populated 1");
  } catch {
    return false; // No such group: nothing runs in it.
  }
}

/** Process ids directly in this control group, lowest first. */
export function processesOf(path: string): readonly number[] {
  try {
    return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number).toSorted(byNumber);
  } catch {
    return [];
  }
}

/** Process ids in this control group and all below it. */
export function allProcessesOf(path: string): readonly number[] {
  return [path, ...subgroups(path)].flatMap(processesOf);
}

function byNumber(one: number, other: number): number {
  return one - other;
}

/**
 * End every process in a control group at once, and remove the group.
 *
 * @throws {LabError} when processes are still there after `timeoutMs` (default 15,000).
 */
export async function endCgroup(path: string, timeoutMs = 15_000): Promise<void> {
  if (!existsSync(path)) return;
  const deadline = Date.now() + timeoutMs;
  if (isPopulated(path)) writeFileSync(join(path, "cgroup.kill"), "1");
  while (isPopulated(path)) {
    if (Date.now() > deadline) {
      const left = allProcessesOf(path).join(" ");
      throw new LabError(`processes of ${path} were killed and are still there after ${timeoutMs} ms: ${left}`);
    }
    await sleep(20);
  }
  removeTree(path);
  // On a machine with both hierarchies, systemd-nspawn makes the same groups in the other one too.
  const { systemd } = parseCgroupMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  if (systemd !== undefined) removeTree(join(systemd, path.slice(cgroupMount().length)));
}

function removeTree(path: string): void {
  for (const group of subgroups(path).toReversed()) removeGroup(group);
  removeGroup(path);
}

function subgroups(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const children = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return children.flatMap(({ name }) => [join(path, name), ...subgroups(join(path, name))]);
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (existsSync(path)) throw error; // A group may go by itself, with its last process.
  }
}
