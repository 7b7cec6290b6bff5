import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { endCgroup, labCgroup } from "./cgroup.ts";
import { cutPower } from "./host/boot.ts";
import { detachVolumes } from "./host/volumes.ts";
import { hostsOnDisk, labPaths } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { checkMachine } from "./machine.ts";
import { unmountBelow } from "./mounts.ts";
import { namespacesOf, removeNetwork } from "./network/namespaces.ts";
import { checkLabName } from "./spec.ts";
import { type OnStep, reportedSteps } from "./steps.ts";

/**
 * Take a lab down and remove all of it: processes, mounts, loop devices, namespaces, the hosts' disks. It finds them
 * in the kernel, not in a record, so it also clears what a crash left. Base systems and fetched packages stay.
 */
export async function down(name: string, options: { readonly onStep?: OnStep } = {}): Promise<void> {
  checkLabName(name);
  checkMachine();
  const steps = reportedSteps(options.onStep);
  await withLock(name, async () => {
    const { dir } = labPaths(name);
    if (!existsSync(dir) && !existsSync(labCgroup(name)) && namespacesOf(name).length === 0) {
      return steps.say(`lab ${name} is not up`);
    }
    await steps.step(`lab ${name}: processes, mounts, volumes, network and files removed`, () =>
      removeLab(name, "remove-files"),
    );
  });
}

/** End all that a lab runs, and remove what it holds in the kernel; its files too, where asked. */
export async function removeLab(name: string, files: "keep-files" | "remove-files"): Promise<void> {
  const { dir } = labPaths(name);
  await endCgroup(labCgroup(name));
  for (const host of hostsOnDisk(name)) await cutPower(name, host);
  await unmountBelow(dir);
  await detachVolumes(dir);
  await removeNetwork(name);
  if (files === "remove-files") await removeFiles(dir);
}

const REMOVE_TIMEOUT_MS = 30_000;

/** A namespace of mounts that is just being torn down may keep a directory busy for a moment. */
async function removeFiles(dir: string): Promise<void> {
  const deadline = Date.now() + REMOVE_TIMEOUT_MS;
  for (;;) {
    try {
      return rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
