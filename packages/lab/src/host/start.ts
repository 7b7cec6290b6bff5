import type { Subnet } from "../addresses.ts";
import { readMachinePackages } from "../apt/machine.ts";
import { LabError } from "../errors.ts";
import { ensureKeys, renderEtcHosts, writeControllerHosts, writeKnownHosts } from "../keys.ts";
import { plugHost } from "../network/namespaces.ts";
import type { LabHost, LabSpec } from "../spec.ts";
import { bootHost, consoleTail, cutPower, isRunning } from "./boot.ts";
import { type HostMaterials, openHostFiles } from "./file-system.ts";
import { reachFromController } from "./reach.ts";
import { attachVolumes } from "./volumes.ts";

/** How long hosts may take until their sshd answers. */
const BOOT_TIMEOUT_MS = 90_000;

/** What the hosts of a lab are made from; writes what the controller needs to know of them. */
export async function gatherMaterials(spec: LabSpec, subnet: Subnet, base: string): Promise<HostMaterials> {
  const { serverNames } = await readMachinePackages();
  writeControllerHosts(spec, subnet.gateway, serverNames);
  return {
    ...(await ensureKeys(spec.name)),
    base,
    etcHosts: renderEtcHosts(spec, subnet.gateway, serverNames),
    dockerDropIn: dockerDropIn(subnet.gateway),
  };
}

/** dockerd takes this option beside any daemon.json that does not set the same key, which roles have no reason to. */
function dockerDropIn(gateway: string): string {
  return `[Service]\nEnvironment=DOCKER_OPTS=--registry-mirror=http://${gateway}:5000\n`;
}

/** Make or open the files of hosts that do not run, and plug them in. */
export async function prepareHosts(
  spec: LabSpec,
  hosts: readonly LabHost[],
  subnet: Subnet,
  materials: HostMaterials,
): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      await cutPower(spec.name, host.name);
      await openHostFiles(spec.name, host, materials);
      await plugHost(spec.name, host, subnet);
    }),
  );
}

/**
 * Boot prepared hosts side by side, and wait until all of them answer on SSH.
 *
 * @throws {LabError} with the end of its console when one does not within 90 s.
 */
export async function bootHosts(spec: LabSpec, hosts: readonly LabHost[]): Promise<void> {
  writeKnownHosts(spec);
  // One after the other: two that look for a free loop device at once may find the same one.
  for (const host of hosts) await bootHost(spec.name, host, await attachVolumes(spec.name, host));
  const addresses = hosts.map(({ address }) => address);
  const answers = await reachFromController(spec.name, { addresses, timeoutMs: BOOT_TIMEOUT_MS });
  const silent = hosts.find(({ address }) => answers[address] === null);
  if (silent === undefined) return;
  const state = isRunning(spec.name, silent.name) ? "runs, but its sshd does not answer" : "has stopped";
  throw new LabError(
    `${silent.name} (${silent.address}) ${state}, ${BOOT_TIMEOUT_MS} ms after its start. Its console:\n` +
      consoleTail(spec.name, silent.name),
  );
}
