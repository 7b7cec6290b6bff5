import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Where everything that the lab keeps on disk lies: `KB_LAB_DIR`, default `/var/lib/keybuzz-lab`. */
export function labRoot(): string {
  return process.env["KB_LAB_DIR"] ?? "/var/lib/keybuzz-lab";
}

/** Base systems, one directory a recipe. */
export function basesDir(): string {
  return join(labRoot(), "bases");
}

/** What was once fetched from the package mirror. */
export function aptCacheDir(): string {
  return join(labRoot(), "apt-cache");
}

/** The directory of all labs. */
export function labsDir(): string {
  return join(labRoot(), "labs");
}

/** Names of all labs of this machine, up or not. */
export function labNames(): readonly string[] {
  if (!existsSync(labsDir())) return [];
  const entries = readdirSync(labsDir(), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Paths of one lab. */
export interface LabPaths {
  readonly dir: string;
  /** The spec that the lab was last brought up with. */
  readonly record: string;
  /** Private key that opens every host for root, admin and deploy. */
  readonly sshKey: string;
  readonly knownHosts: string;
  /** Password with which `deploy` becomes root by sudo. */
  readonly deployPassword: string;
  /** The controller's `/etc/hosts`. */
  readonly hostsFile: string;
  readonly logs: string;
  readonly mirrorSocket: string;
}

/** The paths of the lab `name`. */
export function labPaths(name: string): LabPaths {
  const dir = join(labsDir(), name);
  return {
    dir,
    record: join(dir, "lab.json"),
    sshKey: join(dir, "ssh-key"),
    knownHosts: join(dir, "known_hosts"),
    deployPassword: join(dir, "deploy-password"),
    hostsFile: join(dir, "hosts"),
    logs: join(dir, "logs"),
    mirrorSocket: join(dir, "mirror.sock"),
  };
}

/** Paths of one host of a lab. */
export interface HostPaths {
  readonly dir: string;
  /** What the host changed over the base: the writable directory of its overlay. */
  readonly upper: string;
  readonly work: string;
  /** The host's whole file system, while it is up. */
  readonly root: string;
  /** Bound at /var/lib/docker: overlay2 does not work on an overlay. */
  readonly docker: string;
  readonly volumes: string;
  readonly console: string;
  /** Written last, when the host's files are complete; holds the spec that they were made from. */
  readonly record: string;
}

/** The paths of a host of a lab. */
export function hostPaths(lab: string, host: string): HostPaths {
  const dir = join(machinesDir(lab), host);
  return {
    dir,
    upper: join(dir, "upper"),
    work: join(dir, "work"),
    root: join(dir, "root"),
    docker: join(dir, "docker"),
    volumes: join(dir, "volumes"),
    console: join(dir, "console.log"),
    record: join(dir, "host.json"),
  };
}

/** Names of all hosts of a lab that have a directory, whole or not. */
export function hostsOnDisk(lab: string): readonly string[] {
  return existsSync(machinesDir(lab)) ? readdirSync(machinesDir(lab)) : [];
}

function machinesDir(lab: string): string {
  return join(labPaths(lab).dir, "machines");
}

/** Make a directory that only root can look into, and its parents. */
export function makePrivateDir(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
