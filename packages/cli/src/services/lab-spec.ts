import type { LabSpec, LabVolume } from "@keybuzz/lab";
import { type Inventory, InventoryError, type InventoryHost, renderSource } from "@keybuzz/runner";
import * as z from "zod";

const DEFAULT_VOLUME_MIB = 4096;

/** What the lab reads of a host's vars. */
const LabVars = z.object({
  ansible_host: z.ipv4(),
  /** Its empty disks. Unless given: one of 4 GiB for each var that names a device for data (`mariadb_data_device`). */
  lab_volumes: z.array(z.strictObject({ device: z.string(), size_mib: z.int().positive() })).optional(),
  /** Addresses that wander between hosts, or are a provider's: kept free. */
  entry_point: z.ipv4().optional(),
  entry_points: z.array(z.ipv4()).default([]),
  virtual_address: z.ipv4().optional(),
});

const DEVICE_VAR = /(^|_)(data|volume)_device$/;

interface Described {
  readonly name: string;
  readonly vars: z.output<typeof LabVars>;
  readonly devices: readonly string[];
}

/**
 * The lab of an inventory: its hosts at their own addresses, with the disks that its vars speak of.
 * @throws InventoryError, with file and line, for a host that no lab can have
 */
export function labSpecOf(inventory: Inventory, name: string, rttMs?: number): LabSpec {
  const hosts = [...inventory.hosts.values()]
    .filter((host) => host.vars.get("ansible_connection")?.value !== "local")
    .map(describe);
  const own = new Set(hosts.map(({ vars }) => vars.ansible_host));
  const wandering = hosts
    .flatMap(({ vars }) => [vars.entry_point, vars.virtual_address, ...vars.entry_points])
    .filter((address) => address !== undefined);
  return {
    name,
    hosts: hosts.map((host) => ({ name: host.name, address: host.vars.ansible_host, volumes: volumesOf(host) })),
    virtualAddresses: [...new Set(wandering)].filter((address) => !own.has(address)),
    ...(rttMs === undefined ? {} : { rttMs }),
  };
}

function describe(host: InventoryHost): Described {
  const values = [...host.vars].map(([key, { value }]) => [key, value] as const);
  const parsed = LabVars.safeParse(Object.fromEntries(values));
  if (parsed.success) {
    const devices = values.flatMap(([key, value]) =>
      DEVICE_VAR.test(key) && typeof value === "string" ? [value] : [],
    );
    return { name: host.name, vars: parsed.data, devices: [...new Set(devices)] };
  }
  const [issue] = parsed.error.issues;
  const [key = ""] = issue?.path ?? [];
  const sourced = host.vars.get(String(key));
  const what =
    sourced === undefined ? `the var ${String(key)} is missing` : `${issue?.path.join(".")}: ${issue?.message}`;
  throw new InventoryError(`${renderSource(sourced?.source ?? host.source)}: ${host.name}: ${what}`, {
    hint: "the lab needs the IPv4 address of each host",
  });
}

function volumesOf({ vars, devices }: Described): readonly LabVolume[] {
  const given = vars.lab_volumes?.map(({ device, size_mib }) => ({ device, sizeMib: size_mib }));
  return given ?? devices.map((device) => ({ device, sizeMib: DEFAULT_VOLUME_MIB }));
}
