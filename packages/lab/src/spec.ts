import { parseAddress, type Subnet, subnetOf } from "./addresses.ts";
import { LabError } from "./errors.ts";

/** An empty disk of a host. */
export interface LabVolume {
  /** Path at which the host finds it, for example `/dev/sdb`. */
  readonly device: string;
  /** Size in MiB; the file behind it is sparse. */
  readonly sizeMib: number;
}

/** One host of a lab. */
export interface LabHost {
  /** Its hostname, as in the inventory. */
  readonly name: string;
  /** Its IPv4 address. */
  readonly address: string;
  readonly volumes?: readonly LabVolume[];
  /** More names under which the other hosts and the controller know it. */
  readonly aliases?: readonly string[];
}

/** A lab: hosts in a network of their own, with no way out. */
export interface LabSpec {
  /** Tells the labs of one machine apart: a letter, then letters and digits, at most 12; default `lab`. */
  readonly name: string;
  readonly hosts: readonly LabHost[];
  /** Addresses that hosts take by themselves later (keepalived), kept free by the lab. */
  readonly virtualAddresses?: readonly string[];
  /** Round-trip time in milliseconds between the controller and the hosts; default 0: as fast as it goes. */
  readonly rttMs?: number;
}

/** The name of a lab that nobody named. */
export const DEFAULT_LAB = "lab";

// No hyphen: `kblab-NAME-HOST` must not mean two hosts of two labs.
const LAB_NAME = /^[a-z][a-z0-9]{0,11}$/;
const HOST_NAME = /^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/;
const DEVICE = /^\/dev\/[a-z][a-z0-9]{1,14}$/;
const RESERVED_DEVICES = new Set(["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"]);

/**
 * Check that a spec can be built, before anything is touched.
 *
 * @throws {LabError} naming the first part that is wrong, and what it should look like.
 */
export function checkSpec(spec: LabSpec): Subnet {
  checkLabName(spec.name);
  const names = new Set<string>();
  const addresses = new Set<string>();
  for (const host of spec.hosts) {
    if (!HOST_NAME.test(host.name)) {
      throw wrong(`host name "${host.name}": use lower-case letters, digits and hyphens, at most 42`);
    }
    for (const name of [host.name, ...(host.aliases ?? [])]) {
      if (names.has(name)) throw wrong(`two hosts are called "${name}"`);
      names.add(name);
    }
    parseAddress(host.address);
    if (addresses.has(host.address)) throw wrong(`two hosts have the address ${host.address}`);
    addresses.add(host.address);
    checkVolumes(host);
  }
  for (const address of spec.virtualAddresses ?? []) {
    if (addresses.has(address)) throw wrong(`the virtual address ${address} is also a host's own`);
    addresses.add(address);
  }
  if (spec.rttMs !== undefined && !(spec.rttMs >= 0 && spec.rttMs <= 10_000)) {
    throw wrong(`rttMs ${spec.rttMs}: a round trip takes 0 to 10,000 ms`);
  }
  return subnetOf([...addresses]);
}

/** Check the name of a lab alone. @throws {LabError} when it is no good. */
export function checkLabName(name: string): void {
  if (!LAB_NAME.test(name)) {
    throw wrong(`lab name "${name}": a letter, then letters and digits, lower case, at most 12 in all`);
  }
}

function checkVolumes(host: LabHost): void {
  const devices = new Set<string>();
  for (const { device, sizeMib } of host.volumes ?? []) {
    if (!DEVICE.test(device) || RESERVED_DEVICES.has(device)) {
      throw wrong(`volume "${device}" of ${host.name}: name a disk such as /dev/sdb`);
    }
    if (devices.has(device)) throw wrong(`${host.name} has two volumes at ${device}`);
    devices.add(device);
    if (!(Number.isInteger(sizeMib) && sizeMib >= 1)) {
      throw wrong(`volume ${device} of ${host.name}: sizeMib is ${sizeMib}, not a whole number of MiB`);
    }
  }
}

function wrong(what: string): LabError {
  return new LabError(`lab: ${what}`, { exitCode: 2 });
}
