import { isIPv4 } from "node:net";
import { LabError } from "./errors.ts";

/** The one network that a lab's hosts share. */
export interface Subnet {
  /** First address, for example `10.0.0.0`. */
  readonly network: string;
  /** Prefix length; 24 unless the hosts lie further apart. */
  readonly prefix: number;
  /** Address of the controller, at which the hosts find packages and images. */
  readonly gateway: string;
}

const SMALLEST_PREFIX = 8;

/** An IPv4 address as a number of 32 bits. @throws {LabError} when the text is not an IPv4 address. */
export function parseAddress(address: string): number {
  if (!isIPv4(address)) throw new LabError(`"${address}" is not an IPv4 address`, { exitCode: 2 });
  return address.split(".").reduce((value, octet) => value * 256 + Number(octet), 0);
}

/** The dotted form of a number of 32 bits. */
export function renderAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/**
 * The smallest network of at least 256 addresses that holds all of the given ones, and a free address in it for the
 * controller: the first address' `.1`, or the highest free one below `.255` when that is taken.
 *
 * @throws {LabError} when there is no address, or they have less than 8 leading bits in common.
 */
export function subnetOf(addresses: readonly string[]): Subnet {
  const taken = new Set(addresses.map(parseAddress));
  const [first] = taken;
  if (first === undefined) throw new LabError("a lab needs at least one host", { exitCode: 2 });
  const lowest = Math.min(...taken);
  const highest = Math.max(...taken);
  let prefix = 24;
  while (networkOf(lowest, prefix) !== networkOf(highest, prefix)) prefix -= 1;
  if (prefix < SMALLEST_PREFIX) {
    const span = `${renderAddress(lowest)} to ${renderAddress(highest)}`;
    throw new LabError(`the hosts' addresses lie too far apart for one network: ${span}`, { exitCode: 2 });
  }
  const base = networkOf(first, 24);
  const candidates = [base + 1, ...Array.from({ length: 253 }, (_, below) => base + 254 - below)];
  const gateway = candidates.find((candidate) => !taken.has(candidate));
  if (gateway === undefined) throw new LabError(`no free address in ${renderAddress(base)}/24 for the controller`);
  return { network: renderAddress(networkOf(lowest, prefix)), prefix, gateway: renderAddress(gateway) };
}

function networkOf(value: number, prefix: number): number {
  const size = 2 ** (32 - prefix);
  return Math.floor(value / size) * size;
}
