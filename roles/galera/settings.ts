import type { Secret } from "@keybuzz/runner";
import { DATA } from "../paths.ts";
import type { HostFacts } from "./facts.ts";
import type { GaleraVars } from "./params.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** A member as its peers know it. */
export interface Member {
  readonly name: string;
  readonly address: string;
}

/** What the settings of a cluster's members have in common. */
export interface Cluster {
  readonly name: string;
  /** The first is the one that the proxies prefer for writes. */
  readonly members: readonly Member[];
  readonly sstPassword: Secret;
}

/** What the option file is rendered from. */
export const OPTIONS_TEMPLATE = new URL("templates/zz-keybuzz.cnf.ejs", import.meta.url);

/** The vars of {@link OPTIONS_TEMPLATE}. */
export function settingsFor(member: Member, vars: GaleraVars, facts: HostFacts, cluster: Cluster) {
  const sizes = sizesFor(vars, facts);
  const addresses = cluster.members.map(({ address }) => address);
  const modern = vars.mariadb_version !== "10.11";
  return {
    clusterName: cluster.name,
    members: addresses,
    name: member.name,
    address: member.address,
    dataDir: vars.mariadb_runtime === "native" ? DATA : null,
    applierThreads: Math.min(32, Math.max(4, facts.cores * 4)),
    providerOptions: providerOptions(member.address, sizes.gcacheMib),
    sstDonors: cluster.members
      .slice(1)
      .map(({ name }) => name)
      .reverse(),
    sstPassword: modern ? null : cluster.sstPassword,
    serverId: vars.galera_server_id,
    gtidDomain: vars.galera_gtid_domain,
    localGtidDomain: localGtidDomain(member.address),
    binlogDays: vars.mariadb_binlog_days,
    durability: vars.mariadb_durability,
    bufferPoolMib: sizes.bufferPoolMib,
    redoLogMib: sizes.redoLogMib,
    snapshotIsolation: modern ? vars.innodb_snapshot_isolation : null,
    maxConnections: vars.mariadb_max_connections,
    extraSettings: Object.fromEntries(
      Object.entries(vars.mariadb_settings).map(([key, value]) => [
        key,
        typeof value === "boolean" ? onOff(value) : value,
      ]),
    ),
  };
}

function onOff(value: boolean): string {
  return value ? "ON" : "OFF";
}

/** Sizes in MiB, as declared or worked out from the host. */
export function sizesFor(vars: Partial<GaleraVars>, facts: HostFacts) {
  const disk = facts.diskBytes / 20;
  const bufferPoolMib = mib(vars.innodb_buffer_pool_size) ?? clampMib(bufferPool(facts.memoryBytes), 128, 2 ** 30);
  return {
    bufferPoolMib,
    redoLogMib: mib(vars.innodb_log_file_size) ?? clampMib(Math.min((bufferPoolMib * MIB) / 4, disk), 48, 1024),
    gcacheMib: mib(vars.galera_gcache_size) ?? clampMib(disk, 128, 2048),
  };
}

/**
 * 60 % of the memory, 40 % where it is less than 2 GiB. MemTotal is what the kernel left of the memory, and changes with
 * each kernel; the memory as it was bought does not.
 */
function bufferPool(memoryBytes: number): number {
  const small = memoryBytes < 2 * GIB;
  const step = small ? GIB / 4 : GIB;
  return Math.ceil(memoryBytes / step) * step * (small ? 0.4 : 0.6);
}

function mib(size: string | undefined): number | undefined {
  if (size === undefined) return undefined;
  return Number.parseInt(size, 10) * (size.endsWith("G") ? 1024 : 1);
}

function clampMib(bytes: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.floor(bytes / MIB)));
}

/**
 * Options of the Galera library. The evs timings notice a dead member within 2 s rather than 5, during which nobody can
 * commit; they are for one network with round trips of a few milliseconds. The keepalive has to be below a third of the
 * suspect timeout, or the server does not start.
 * @see https://galeracluster.com/library/documentation/galera-parameters.html
 */
export function providerOptions(address: string, gcacheMib: number): string {
  return Object.entries({
    "gmcast.listen_addr": `tcp://${address}:4567`,
    "ist.recv_addr": `${address}:4568`,
    "gcache.size": `${gcacheMib}M`,
    "gcache.recover": "yes",
    "gcs.fc_limit": 128,
    "gcs.fc_factor": 0.8,
    "gcs.fc_single_primary": "yes",
    "evs.keepalive_period": "PT0.5S",
    "evs.suspect_timeout": "PT2S",
    "evs.inactive_timeout": "PT4S",
    "evs.install_timeout": "PT4S",
  })
    .map(([key, value]) => `${key}=${value}`)
    .join(";");
}

/** Unique in a private network, whoever else is in the inventory: the last two numbers of the address. */
export function localGtidDomain(address: string): number {
  const [, , third = 0, fourth = 0] = address.split(".").map(Number);
  return 1000 + third * 256 + fourth;
}

/**
 * A network as the host part of an account. MariaDB takes a netmask, and for whole bytes the form that people read.
 * @see https://mariadb.com/kb/en/create-user/#host-name-component
 */
export function accountHost(network: string): string {
  const [address = "", length = "32"] = network.split("/");
  const bits = Number(length);
  const bytes = address.split(".").map(Number);
  const mask = bytes.map((_, index) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - index * 8))));
  const base = bytes.map((byte, index) => byte & (mask[index] ?? 0));
  if (bits === 32) return base.join(".");
  if (bits % 8 === 0 && bits > 0) return `${base.slice(0, bits / 8).join(".")}.%`;
  return `${base.join(".")}/${mask.join(".")}`;
}
