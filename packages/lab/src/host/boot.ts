import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { endCgroup, hostCgroup, isPopulated, makeCgroup, processesOf } from "../cgroup.ts";
import { startDetached } from "../command.ts";
import { hostPaths } from "../lab-dir.ts";
import { hostNamespace } from "../names.ts";
import { namespacePath } from "../network/namespaces.ts";
import type { LabHost } from "../spec.ts";
import type { AttachedVolume } from "./volumes.ts";

/** Is a host running? */
export function isRunning(lab: string, host: string): boolean {
  return isPopulated(hostCgroup(lab, host)) && existsSync(namespacePath(hostNamespace(lab, host)));
}

/**
 * Boot a host whose files are mounted and whose network is plugged in; it goes on after this process has ended.
 *
 * @see https://manpages.debian.org/trixie/systemd-container/systemd-nspawn.1.en.html
 */
export async function bootHost(lab: string, host: LabHost, volumes: readonly AttachedVolume[]): Promise<void> {
  const cgroupDir = hostCgroup(lab, host.name);
  const paths = hostPaths(lab, host.name);
  await cutPower(lab, host.name);
  const [keeper, machine] = [join(cgroupDir, "keeper"), machineCgroup(lab, host.name)];
  makeCgroup(keeper);
  makeCgroup(machine);
  const argv = ["/bin/sh", "-c", KEEPER, "sh", machine, ...nspawnArguments(lab, host, volumes)];
  await startDetached(argv, {
    cgroupDir: keeper,
    logFile: paths.console,
    env: {
      // /proc/sys/net and what dockerd needs may be written; the machine's other settings may not.
      SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network",
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1",
    },
  });
}

/** systemd-nspawn leaves with 133 when the host wants to boot again, and looks to its caller for that. */
const KEEPER = `machine=$1; shift
while :; do
  /bin/sh -c 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"' sh "$machine" "$@"
  [ $? -eq 133 ] || break
done`;

/** The control group of a host's container; it must hold no process of its own beside the groups below it. */
function machineCgroup(lab: string, host: string): string {
  return join(hostCgroup(lab, host), "machine");
}

function nspawnArguments(lab: string, host: LabHost, volumes: readonly AttachedVolume[]): readonly string[] {
  const paths = hostPaths(lab, host.name);
  const namespace = hostNamespace(lab, host.name);
  return [
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--settings=no",
    "--register=no",
    "--keep-unit",
    `--directory=${paths.root}`,
    `--machine=${namespace}`,
    `--hostname=${host.name}`,
    `--network-namespace-path=${namespacePath(namespace)}`,
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--console=pipe",
    // A host is root's own: mounts, firewalls and containers inside it need what root has outside.
    "--capability=all",
    "--system-call-filter=@keyring bpf",
    "--setenv=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1",
    `--bind=${paths.docker}:/var/lib/docker`,
    // Also under its own name, which is what blkid answers for a UUID.
    ...volumes.flatMap(({ device, loop }) => [`--bind=${loop}:${device}`, `--bind=${loop}`]),
  ];
}

/** End a host at once, as a power cut would, with what systemd-nspawn leaves behind when it is killed. */
export async function cutPower(lab: string, host: string): Promise<void> {
  await endCgroup(hostCgroup(lab, host));
  const root = statSync(hostPaths(lab, host).root, { throwIfNoEntry: false });
  if (root !== undefined) rmSync(join(NSPAWN_RUN, "locks", `inode-${root.dev}:${root.ino}`), { force: true });
  rmSync(join(NSPAWN_RUN, "propagate", hostNamespace(lab, host)), { recursive: true, force: true });
}

const NSPAWN_RUN = "/run/systemd/nspawn";

/** Process id, on the machine, of a running host's systemd. */
export function initOf(lab: string, host: string): number | undefined {
  return processesOf(join(machineCgroup(lab, host), "payload/init.scope")).find(isInit);
}

/** Whether it is process 1 of its namespace: what systemd is about to start is in the same control group for a moment. */
function isInit(pid: number): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** The last lines of a host's console, for an error that tells why it did not boot. */
export function consoleTail(lab: string, host: string, lines = 15): string {
  const { console } = hostPaths(lab, host);
  if (!existsSync(console)) return "(its console is empty)";
  return readFileSync(console, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}
