import { distanceOf } from "./distance/distance.ts";
import type { LinkQuality } from "./distance/relay.ts";
import { isRunning } from "./host/boot.ts";
import { reachFromController } from "./host/reach.ts";
import { type LabProgram, requireRecord } from "./record.ts";
import { servicesOf } from "./services.ts";
import { DEFAULT_LAB } from "./spec.ts";

/** How a host of a lab is: not booted, booted without an answer on SSH, or ready. */
export type HostState = "stopped" | "running" | "reachable";

/** A lab as it is now. */
export interface LabStatus {
  readonly name: string;
  /** Address of the controller, where packages and images are served. */
  readonly gateway: string;
  readonly prefix: number;
  readonly hosts: readonly { readonly name: string; readonly address: string; readonly state: HostState }[];
  /** What runs beside the hosts. */
  readonly services: readonly { readonly name: string; readonly running: boolean }[];
  /** Which programs that hosts install are the real ones, and which are stand-ins of the lab. */
  readonly programs: readonly LabProgram[];
  /** At which distance from the hosts the controller is held. */
  readonly distance: LinkQuality;
}

const ANSWER_TIMEOUT_MS = 2000;

/** Look at a lab; its hosts are asked on SSH's port, for two seconds at most. @throws {LabError} without such a lab. */
export async function status(name: string = DEFAULT_LAB): Promise<LabStatus> {
  const { spec, subnet, programs } = requireRecord(name);
  const running = spec.hosts.filter((host) => isRunning(name, host.name));
  const answers = await reachFromController(name, {
    addresses: running.map(({ address }) => address),
    timeoutMs: ANSWER_TIMEOUT_MS,
  });
  const stateOf = (host: { name: string; address: string }): HostState => {
    if (!running.some((one) => one.name === host.name)) return "stopped";
    return (answers[host.address] ?? null) === null ? "running" : "reachable";
  };
  return {
    name,
    gateway: subnet.gateway,
    prefix: subnet.prefix,
    hosts: spec.hosts.map((host) => ({ name: host.name, address: host.address, state: stateOf(host) })),
    services: servicesOf(name),
    programs,
    distance: await distanceOf(name),
  };
}
