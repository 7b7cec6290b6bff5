import { writeFileSync } from "node:fs";
import type { Subnet } from "./addresses.ts";
import { readMachinePackages } from "./apt/machine.ts";
import { ensureBase } from "./base/build.ts";
import { mendDistances, setDistance } from "./distance/distance.ts";
import { removeLab } from "./down.ts";
import { LabError } from "./errors.ts";
import { isRunning } from "./host/boot.ts";
import { readHostRecord } from "./host/file-system.ts";
import { bootHosts, gatherMaterials, prepareHosts } from "./host/start.ts";
import { ensureImages } from "./images/images.ts";
import { proxysqlProgram } from "./images/proxysql-program.ts";
import { startImageServices } from "./images/services.ts";
import { labPaths, makePrivateDir } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { prepareMachine } from "./machine.ts";
import { makeNetwork, networkStands } from "./network/namespaces.ts";
import { type LabRecord, readRecord } from "./record.ts";
import { startMirror } from "./services.ts";
import { checkSpec, type LabHost, type LabSpec } from "./spec.ts";
import { type LabStatus, status } from "./status.ts";
import { type OnStep, reportedSteps, type Steps } from "./steps.ts";

/**
 * Bring a lab up: boot every host of the spec that does not run yet, and wait until all answer on SSH. Up already, it
 * only says so. What a crash left half done is finished or made anew; hosts keep their disks and keys until `down`.
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
    await ensureImages(packages, steps);
    makePrivateDir(labPaths(spec.name).dir);
    const { kind, version } = await proxysqlProgram();
    const record: LabRecord = { spec, subnet, programs: [{ name: "proxysql", kind, version }] };
    writeFileSync(labPaths(spec.name).record, JSON.stringify(record));
    await ensureNetwork(spec, subnet, steps);
    await Promise.all([
      startMirror(spec.name, subnet.gateway),
      startImageServices(spec.name, subnet.gateway),
      ensureHosts(spec, subnet, base, steps),
    ]);
  });
  if (spec.rttMs !== undefined) await setDistance(spec.name, { rttMs: spec.rttMs });
  return status(spec.name);
}

/** A lab is what its spec says; a host that would have to go, or to move, is not dropped without a word. */
function refuseConflict(spec: LabSpec): void {
  for (const host of readRecord(spec.name)?.spec.hosts ?? []) {
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
  if (await networkStands(spec.name, subnet)) return mendDistances(spec.name);
  // Hosts without their switch cannot be mended from outside: end what is left of them, keep their disks.
  await removeLab(spec.name, "keep-files");
  await steps.step(`network ${subnet.network}/${subnet.prefix}, controller at ${subnet.gateway}`, () =>
    makeNetwork(spec.name, subnet),
  );
}

async function ensureHosts(spec: LabSpec, subnet: Subnet, base: string, steps: Steps): Promise<void> {
  const missing = spec.hosts.filter(({ name }) => !isRunning(spec.name, name));
  if (missing.length === 0) return steps.say(`lab ${spec.name} is up already: ${spec.hosts.length} hosts`);
  const materials = await gatherMaterials(spec, subnet, base);
  await steps.step(`files and network of ${missing.map(({ name }) => name).join(", ")}`, () =>
    prepareHosts(spec, missing, subnet, materials),
  );
  await steps.step(`boot ${missing.length} of ${spec.hosts.length} hosts`, () => bootHosts(spec, missing));
}
