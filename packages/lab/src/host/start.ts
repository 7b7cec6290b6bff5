import type { Subnet } from "../addresses.ts";
import { readMachinePackages } from "../apt/machine.ts";
import { LabError } from "../errors.ts";
import { ORIGIN_NAMES } from "../images/certificate.ts";
import { ensureKeys, renderEtcHosts, writeControllerHosts, writeKnownHosts } from "../keys.ts";
import { hostPaths } from "../lab-dir.ts";
import { plugHost } from "../network/namespaces.ts";
import type { LabHost, LabSpec } from "../spec.ts";
import { bootHost, consoleTail, cutPower, isRunning } from "./boot.ts";
import { type HostMaterials, openHostFiles } from "./file-system.ts";
import { reachFromController } from "./reach.ts";
import { attachVolumes } from "./volumes.ts";

/** How long hosts may take until their sshd answers. */
const BOOT_TIMEOUT_MS = 90_000;
/** How often, in between, it is seen whether they still run. */
const LOOK_MS = 3000;

/** What the hosts of a lab are made from; writes what the controller needs to know of them. */
export async function gatherMaterials(spec: LabSpec, subnet: Subnet, base: string): Promise<HostMaterials> {
  const { serverNames } = await readMachinePackages();
  const names = [...serverNames, ...ORIGIN_NAMES];
  writeControllerHosts(spec, subnet.gateway, names);
  return {
    ...(await ensureKeys(spec.name)),
    base,
    etcHosts: renderEtcHosts(spec, subnet.gateway, names),
  };
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
 * @throws {LabError} with the end of its console when one has stopped, or does not answer within 90 s.
 */
export async function bootHosts(spec: LabSpec, hosts: readonly LabHost[]): Promise<void> {
  writeKnownHosts(spec);
  // One after the other: two that look for a free loop device at once may find the same one.
  for (const host of hosts) await bootHost(spec.name, host, await attachVolumes(spec.name, host));
  const start = Date.now();
  for (let silent = hosts; silent.length > 0; ) {
    const addresses = silent.map(({ address }) => address);
    const answers = await reachFromController(spec.name, { addresses, timeoutMs: LOOK_MS });
    silent = silent.filter(({ address }) => answers[address] === null);
    const stopped = silent.find(({ name }) => !isRunning(spec.name, name));
    const late = Date.now() - start > BOOT_TIMEOUT_MS ? silent[0] : undefined;
    if (stopped !== undefined) throw bootError(spec.name, stopped, "has stopped");
    if (late !== undefined) throw bootError(spec.name, late, `does not answer on SSH after ${BOOT_TIMEOUT_MS} ms`);
  }
}

function bootError(lab: string, host: LabHost, what: string): LabError {
  const { console } = hostPaths(lab, host.name);
  return new LabError(`${host.name} (${host.address}) ${what}. The end of ${console}:\n${consoleTail(lab, host.name)}`);
}
