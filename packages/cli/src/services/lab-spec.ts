import type { LabHost, LabSpec, LabVolume } from "@keybuzz/lab";
import { type Inventory, InventoryError, type InventoryHost, renderSource } from "@keybuzz/runner";
import * as z from "zod";

const DEFAULT_VOLUME_MIB = 4096;

/** What the lab reads of a host's vars. */
const LabVars = z.object({
  ansible_host: z.ipv4(),
  ansible_connection: z.string().optional(),
  /** Disk that a role makes a file system on: the lab gives it an empty one, of 4 GiB. */
  volume_device: z.string().optional(),
  /** Disks of other number or size. */
  lab_volumes: z.array(z.strictObject({ device: z.string(), size_mib: z.int().positive() })).optional(),
  /** Addresses that wander between hosts; kept free. */
  entry_point: z.ipv4().optional(),
  virtual_address: z.ipv4().optional(),
});

type Vars = z.output<typeof LabVars>;

/**
 * The lab of an inventory: its hosts at their own addresses, with the disks that its vars speak of.
 * @throws InventoryError, with file and line, for a host that no lab can have
 */
export function labSpecOf(inventory: Inventory, name: string, rttMs?: number): LabSpec {
  const hosts = [...inventory.hosts.values()]
    .filter((host) => host.vars.get("ansible_connection")?.value !== "local")
    .map((host) => ({ name: host.name, vars: readVars(host) }));
  const own = new Set(hosts.map(({ vars }) => vars.ansible_host));
  const wandering = hosts.flatMap(({ vars }) => [vars.entry_point, vars.virtual_address]);
  const virtual = [...new Set(wandering)].filter((address) => address !== undefined && !own.has(address));
  return {
    name,
    hosts: hosts.map(
      ({ name: host, vars }): LabHost => ({ name: host, address: vars.ansible_host, volumes: volumesOf(vars) }),
    ),
    virtualAddresses: virtual.filter((address) => address !== undefined),
    ...(rttMs === undefined ? {} : { rttMs }),
  };
}

function readVars(host: InventoryHost): Vars {
  const parsed = LabVars.safeParse(Object.fromEntries([...host.vars].map(([key, { value }]) => [key, value])));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [key = ""] = issue?.path ?? [];
  const sourced = host.vars.get(String(key));
  const what =
    sourced === undefined ? `the var ${String(key)} is missing` : `${issue?.path.join(".")}: ${issue?.message}`;
  throw new InventoryError(`${renderSource(sourced?.source ?? host.source)}: ${host.name}: ${what}`, {
    hint: "the lab needs the IPv4 address of each host",
  });
}

function volumesOf(vars: Vars): readonly LabVolume[] {
  if (vars.lab_volumes !== undefined) {
    return vars.lab_volumes.map(({ device, size_mib }) => ({ device, sizeMib: size_mib }));
  }
  return vars.volume_device === undefined ? [] : [{ device: vars.volume_device, sizeMib: DEFAULT_VOLUME_MIB }];
}
