import { secretParam } from "@keybuzz/runner";
import * as z from "zod";

const size = z.string().regex(/^[1-9]\d*[MG]$/, "must be a whole number of M or G, as 512M");

const optionValue = z
  .union([z.string(), z.number(), z.boolean()])
  .refine((value) => !/[\n\r\0]/.test(String(value)), "must be one line");

/** What the role alone sets: another value would make another cluster, or none. */
const RESERVED = new Set([
  ...["wsrep_on", "wsrep_cluster_address", "wsrep_cluster_name", "wsrep_new_cluster", "wsrep_start_position"],
  ...["wsrep_node_name", "wsrep_node_address", "wsrep_provider", "wsrep_status_file", "datadir", "socket", "port"],
]);

const optionName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]*$/, "must be an option's name")
  .refine((name) => !RESERVED.has(name.replaceAll("-", "_")), "is set by the role");

/** What each member declares in the inventory. All of it has a default, or is worked out from the host. */
export const GaleraHost = z.object({
  /** `docker`: the image in a container; `native`: the Debian packages. One for all members. */
  mariadb_runtime: z.enum(["docker", "native"]).default("docker"),
  mariadb_version: z.enum(["10.11", "11.8"]).default("11.8"),
  /** `mariadb:VERSION` unless given. */
  mariadb_image: z.string().optional(),
  /** Private address of the member, where it is managed at another one. */
  mariadb_address: z.ipv4().optional(),
  /** A blank volume for the data. The data is on the root file system unless given. */
  mariadb_data_device: z.string().startsWith("/dev/").optional(),
  /** Where clients, proxies and the members are. */
  private_network: z.cidrv4().default("10.0.0.0/24"),
  /** 60 % of the memory unless given. */
  innodb_buffer_pool_size: size.optional(),
  /** A quarter of the buffer pool, at most 1G or a twentieth of the data's disk, unless given. */
  innodb_log_file_size: size.optional(),
  /** Write sets kept for members that were away: 2G, at most a twentieth of the data's disk, unless given. */
  galera_gcache_size: size.optional(),
  /** `full`: each commit is on the member's disk; `relaxed`: within a second. */
  mariadb_durability: z.enum(["full", "relaxed"]).default("full"),
  mariadb_max_connections: z.int().min(10).max(100_000).default(1050),
  mariadb_binlog_days: z.int().min(1).max(99).default(7),
  /** Off for ERPNext: see the template. */
  innodb_snapshot_isolation: z.boolean().default(false),
  galera_server_id: z.int().min(1).max(4_294_967_295).default(1),
  galera_gtid_domain: z.int().min(0).max(4_294_967_295).default(1),
  /** Options of one's own, set after all others. */
  mariadb_settings: z.record(optionName, optionValue).default({}),
});

export type GaleraVars = z.output<typeof GaleraHost>;

export const galeraParams = z.strictObject({
  credentials: z
    .object({
      clusterName: z.string(),
      rootPassword: secretParam(),
      appUser: z.string(),
      appPassword: secretParam(),
      appDatabase: z.string(),
      monitorPassword: secretParam(),
      healthPassword: secretParam(),
      verifyPassword: secretParam(),
      sstPassword: secretParam(),
    })
    .describe("Names and passwords, from the store"),
  joinTimeoutMs: z
    .int()
    .min(60_000)
    .default(900_000)
    .describe(
      "Longest time, in milliseconds, until a member that was started is Synced; a state transfer is part of it",
    ),
});

export type GaleraParams = z.output<typeof galeraParams>;
