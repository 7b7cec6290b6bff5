import { writeFileSync } from "node:fs";
import type { Subnet } from "./addresses.ts";
import { type MachinePackages, readMachinePackages } from "./apt/machine.ts";
import { ensureBase } from "./base/build.ts";
import { endCgroup, hostCgroup } from "./cgroup.ts";
import { removeLab } from "./down.ts";
import { LabError } from "./errors.ts";
import { bootHost, consoleTail, isRunning } from "./host/boot.ts";
import { type HostMaterials, openHostFiles, readHostRecord } from "./host/file-system.ts";
import { reachFromController } from "./host/reach.ts";
import { attachVolumes } from "./host/volumes.ts";
import { ensureKeys, renderEtcHosts, writeControllerHosts, writeKnownHosts } from "./keys.ts";
import { labPaths, makePrivateDir } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { prepareMachine } from "./machine.ts";
import { makeNetwork, networkStands, plugHost, removeNetwork } from "./network/namespaces.ts";
import { readRecord } from "./record.ts";
import { startMirror } from "./services.ts";
import { checkSpec, type LabHost, type LabSpec } from "./spec.ts";
import { type LabStatus, status } from "./status.ts";
import { type OnStep, reportedSteps, type Steps } from "./steps.ts";

/** How long hosts may take until their sshd answers. */
const BOOT_TIMEOUT_MS = 90_000;

/**
 * Bring a lab up: boot every host of the spec that does not run yet, and wait until all answer on SSH. Up already, it
 * only says so. What a crash left half done is finished or made anew.
 *
 * @throws {LabError} when the spec is wrong, the machine cannot, or a host does not answer in time.
 */
export async function up(spec: LabSpec, options: { readonly onStep?: OnStep } = {}): Promise<LabStatus> {
  const subnet = checkSpec(spec);
  const steps = reportedSteps(options.onStep);
  await withLock(spec.name, async () => {
    await prepareMachine(steps, spec.hosts.length);
    refuseConflict(spec);
    const packages = await readMachinePackages();
    const base = await ensureBase(packages, steps);
    makePrivateDir(labPaths(spec.name).dir);
    writeFileSync(labPaths(spec.name).record, JSON.stringify({ spec, subnet }));
    await ensureNetwork(spec, subnet, steps);
    await startMirror(spec.name, subnet.gateway);
    await ensureHosts(spec, { subnet, packages, base }, steps);
  });
  return status(spec.name);
}

/** A lab is what its spec says; a host that would have to go, or to move, is not dropped without a word. */
function refuseConflict(spec: LabSpec): void {
  const known = readRecord(spec.name)?.spec;
  if (known === undefined) return;
  for (const host of known.hosts) {
    const wanted = spec.hosts.find(({ name }) => name === host.name);
    const made = readHostRecord(spec.name, host.name)?.host ?? host;
    if (wanted === undefined || describe(wanted) !== describe(made)) {
      const why = wanted === undefined ? "is not in this spec" : "has another address or other volumes in this spec";
      throw new LabError(`${host.name} of lab ${spec.name} ${why}: take the lab down first, or name another`, {
        exitCode: 2,
      });
    }
  }
}

function describe(host: LabHost): string {
  return JSON.stringify([host.address, (host.volumes ?? []).map(({ device, sizeMib }) => [device, sizeMib])]);
}

async function ensureNetwork(spec: LabSpec, subnet: Subnet, steps: Steps): Promise<void> {
  if (await networkStands(spec.name, subnet)) return;
  // Hosts without their switch cannot be mended from outside: end what is left of them, keep their disks.
  await removeLab(spec.name, "keep-files");
  await removeNetwork(spec.name);
  await steps.step(`network ${subnet.network}/${subnet.prefix}, controller at ${subnet.gateway}`, () =>
    makeNetwork(spec.name, subnet),
  );
}

interface Ground {
  readonly subnet: Subnet;
  readonly packages: MachinePackages;
  readonly base: string;
}

async function ensureHosts(spec: LabSpec, ground: Ground, steps: Steps): Promise<void> {
  const missing = spec.hosts.filter(({ name }) => !isRunning(spec.name, name));
  const { gateway } = ground.subnet;
  const keys = await ensureKeys(spec.name);
  const materials: HostMaterials = {
    ...keys,
    base: ground.base,
    etcHosts: renderEtcHosts(spec, gateway, ground.packages.serverNames),
    dockerDropIn: dockerDropIn(gateway),
  };
  writeControllerHosts(spec, gateway, ground.packages.serverNames);
  if (missing.length === 0) return steps.say(`lab ${spec.name} is up already: ${spec.hosts.length} hosts`);
  await steps.step(`files and network of ${missing.map(({ name }) => name).join(", ")}`, () =>
    Promise.all(missing.map((host) => prepareHost(spec.name, host, ground.subnet, materials))),
  );
  writeKnownHosts(spec);
  await steps.step(`boot ${missing.length} of ${spec.hosts.length} hosts`, async () => {
    for (const host of missing) await bootHost(spec.name, host, await attachVolumes(spec.name, host));
    await awaitHosts(spec.name, missing);
  });
}

async function prepareHost(lab: string, host: LabHost, subnet: Subnet, materials: HostMaterials): Promise<void> {
  await endCgroup(hostCgroup(lab, host.name));
  await openHostFiles(lab, host, materials);
  await plugHost(lab, host, subnet);
}

/** dockerd takes this option beside any daemon.json that does not set the same key, which roles have no reason to. */
function dockerDropIn(gateway: string): string {
  return `[Service]\nEnvironment=DOCKER_OPTS=--registry-mirror=http://${gateway}:5000\n`;
}

async function awaitHosts(lab: string, hosts: readonly LabHost[]): Promise<void> {
  const addresses = hosts.map(({ address }) => address);
  const answers = await reachFromController(lab, { addresses, timeoutMs: BOOT_TIMEOUT_MS });
  const silent = hosts.find(({ address }) => answers[address] === null);
  if (silent === undefined) return;
  const state = isRunning(lab, silent.name) ? "runs, but its sshd does not answer" : "has stopped";
  throw new LabError(
    `${silent.name} (${silent.address}) ${state}, ${BOOT_TIMEOUT_MS} ms after its start. Its console:\n` +
      consoleTail(lab, silent.name),
  );
}
