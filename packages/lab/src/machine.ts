import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { command } from "./command.ts";
import { LabError } from "./errors.ts";
import { allNamespaces, namespacePath } from "./network/namespaces.ts";
import type { Steps } from "./steps.ts";

const REGISTRY = "docker-registry";

/** Commands that the lab calls, and Debian's package for each. */
const NEEDED: Readonly<Record<string, string>> = {
  debootstrap: "debootstrap",
  "systemd-nspawn": "systemd-container",
  socat: "socat",
  skopeo: "skopeo",
  [REGISTRY]: REGISTRY,
  ip: "iproute2",
  nft: "nftables",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  openssl: "openssl",
  gpg: "gpg",
  gpgconf: "gpgconf",
  "gpg-agent": "gpg-agent",
  losetup: "mount",
  mount: "mount",
  nsenter: "util-linux",
  chroot: "coreutils",
};

const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/**
 * Make the machine ready to boot hosts: packages installed, kernel limits high enough.
 *
 * @throws {LabError} when it is not Debian or Ubuntu, the caller is not root, or a package cannot be had.
 */
export async function prepareMachine(steps: Steps, hostCount: number): Promise<void> {
  checkMachine();
  const missing = missingPackages();
  if (missing.length > 0) {
    await steps.step(`machine: install ${missing.join(", ")}`, () => installPackages(missing));
  }
  raiseInotifyLimit(steps, hostCount);
}

/** @throws {LabError} unless labs can be run from here. */
export function checkMachine(): void {
  if (process.platform !== "linux" || !existsSync("/etc/debian_version")) {
    throw new LabError("the lab boots real hosts, which needs Debian or Ubuntu under it", { exitCode: 2 });
  }
  if (process.getuid?.() !== 0) throw new LabError("the lab needs root: try sudo", { exitCode: 2 });
  const here = statSync("/proc/self/ns/net").ino;
  const inside = allNamespaces().find((namespace) => statSync(namespacePath(namespace)).ino === here);
  if (inside !== undefined) {
    throw new LabError(`this shell is inside the network namespace ${inside}: leave it first`, { exitCode: 2 });
  }
}

function missingPackages(): readonly string[] {
  const path = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  const missing = Object.entries(NEEDED)
    .filter(([name]) => !path.some((dir) => existsSync(join(dir, name))))
    .map(([, packageName]) => packageName);
  if (!existsSync(DEBIAN_KEYRING)) missing.push("debian-archive-keyring");
  return [...new Set(missing)];
}

async function installPackages(names: readonly string[]): Promise<void> {
  // Its package would start a registry for the whole machine; the lab starts one among its hosts.
  if (names.includes(REGISTRY) && existsSync("/run/systemd/system")) {
    await command(["systemctl", "mask", `${REGISTRY}.service`]);
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", ...names];
  const options = { timeoutMs: INSTALL_TIMEOUT_MS, env };
  try {
    await command(install, options);
  } catch {
    // The usual reason is a package list that is missing or old.
    await command(["apt-get", "update", "-q"], options);
    await command(install, options);
  }
}

const INOTIFY_INSTANCES = "/proc/sys/fs/inotify/max_user_instances";
/** A booted Debian host with dockerd was seen to hold about six; ten leaves room. */
const INSTANCES_PER_HOST = 10;
const INSTANCES_OF_MACHINE = 64;

function raiseInotifyLimit(steps: Steps, hostCount: number): void {
  const current = Number(readFileSync(INOTIFY_INSTANCES, "utf8"));
  // Several labs share the limit, so it is raised well over what this one needs.
  const wanted = Math.max(512, INSTANCES_OF_MACHINE + 2 * hostCount * INSTANCES_PER_HOST);
  if (current >= wanted) return;
  writeFileSync(INOTIFY_INSTANCES, String(wanted));
  steps.say(`machine: raised fs.inotify.max_user_instances from ${current} to ${wanted}`);
}
