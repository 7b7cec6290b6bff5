import { randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { command } from "../command.ts";
import { trustCertificate } from "../images/certificate.ts";
import { hostPaths } from "../lab-dir.ts";
import { unmountBelow } from "../mounts.ts";
import type { LabHost } from "../spec.ts";

/** What a host's files are made from. */
export interface HostMaterials {
  /** Directory of the base system. */
  readonly base: string;
  /** Text of the hosts' /etc/hosts. */
  readonly etcHosts: string;
  /** Public key that opens the host. */
  readonly authorizedKey: string;
  /** Hash of the password with which `deploy` becomes root. */
  readonly deployPasswordHash: string;
}

/** What is kept about a host whose files are complete. */
export interface HostRecord {
  readonly host: LabHost;
  readonly base: string;
}

/** The record of a host, or undefined when its files were never finished. */
export function readHostRecord(lab: string, host: string): HostRecord | undefined {
  const { record } = hostPaths(lab, host);
  return existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as HostRecord) : undefined;
}

/** Mount a host's root, making its files first where they are missing or were left unfinished. */
export async function openHostFiles(lab: string, host: LabHost, materials: HostMaterials): Promise<void> {
  const paths = hostPaths(lab, host.name);
  const known = readHostRecord(lab, host.name);
  if (known === undefined) {
    await unmountBelow(paths.root);
    rmSync(paths.dir, { recursive: true, force: true });
  }
  for (const dir of [paths.upper, paths.work, paths.root, paths.docker, paths.volumes]) {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
  }
  await unmountBelow(paths.root);
  const layers = `lowerdir=${known?.base ?? materials.base},upperdir=${paths.upper},workdir=${paths.work}`;
  await command(["mount", "-t", "overlay", `kblab-${lab}`, "-o", layers, paths.root]);
  if (known !== undefined) return;
  await writeHostFiles(paths.root, host, materials);
  const record: HostRecord = { host, base: materials.base };
  writeFileSync(paths.record, JSON.stringify(record));
}

const SETTINGS_UNIT = "lab-writable-settings.service";

/**
 * A container may write the kernel's network settings alone. What a database host sets besides does no harm to the
 * machine, whose own it is: that file is laid open, and no other.
 */
const WRITABLE_SETTINGS = `[Unit]
Description=Let this host set vm.swappiness, as a host of its own could
DefaultDependencies=no
Before=systemd-sysctl.service sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec 'mkdir -p /run/lab-proc; mount -t proc proc /run/lab-proc; mount --bind /run/lab-proc/sys/vm/swappiness /proc/sys/vm/swappiness; umount /run/lab-proc; rmdir /run/lab-proc'

[Install]
WantedBy=sysinit.target
`;

async function writeHostFiles(root: string, host: LabHost, materials: HostMaterials): Promise<void> {
  const machineId = randomUUID().replaceAll("-", "");
  write(root, "/etc/hostname", `${host.name}\n`);
  write(
    root,
    "/etc/hosts",
    materials.etcHosts.replace("127.0.0.1 localhost", `127.0.0.1 localhost\n127.0.1.1 ${host.name}`),
  );
  write(root, "/etc/machine-id", `${machineId}\n`, 0o444);
  write(root, `/etc/systemd/system/${SETTINGS_UNIT}`, WRITABLE_SETTINGS);
  mkdirSync(join(root, "etc/systemd/system/sysinit.target.wants"), { recursive: true });
  symlinkSync(`../${SETTINGS_UNIT}`, join(root, "etc/systemd/system/sysinit.target.wants", SETTINGS_UNIT));
  await trustCertificate(root);
  const hostKey = join(root, "etc/ssh/ssh_host_ed25519_key");
  await command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", host.name, "-f", hostKey]);
  copyFileSync(`${hostKey}.pub`, hostKeyFile(root));
  for (const [home, uid] of [
    ["/root", 0],
    ["/home/admin", 1000],
    ["/home/deploy", 1001],
  ] as const) {
    const dir = join(root, home, ".ssh");
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, "authorized_keys"), materials.authorizedKey, { mode: 0o600 });
    chownSync(dir, uid, uid);
    chownSync(join(dir, "authorized_keys"), uid, uid);
  }
  await command(["chroot", root, "chpasswd", "--encrypted"], { input: `deploy:${materials.deployPasswordHash}\n` });
}

function write(root: string, path: string, text: string, mode = 0o644): void {
  const file = join(root, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

/** Copy of a host's public key, kept outside of the root that it belongs to. */
function hostKeyFile(root: string): string {
  return join(root, "..", "ssh-host-key.pub");
}

/** Public key of a host, as `TYPE BASE64`. */
export function readHostKey(lab: string, host: string): string {
  const [type = "", key = ""] = readFileSync(hostKeyFile(hostPaths(lab, host).root), "utf8").split(" ");
  return `${type} ${key}`;
}
