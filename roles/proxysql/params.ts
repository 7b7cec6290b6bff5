import { secretParam } from "@keybuzz/runner";
import * as z from "zod";

/** What each proxy declares in the inventory; all of it has defaults. */
export const ProxysqlHost = z.object({
  /** `docker`: the image in a container; `native`: the Debian package. */
  proxysql_runtime: z.enum(["docker", "native"]).default("docker"),
  proxysql_image: z.string().default("proxysql/proxysql:2.7"),
  /** Where `native` gets the package, and the key that signs it: the vendor's, or a mirror of it. */
  proxysql_repository: z.strictObject({ uri: z.url(), key: z.url() }).default({
    uri: "https://repo.proxysql.com/ProxySQL/proxysql-2.7.x/trixie/",
    key: "https://repo.proxysql.com/ProxySQL/proxysql-2.7.x/repo_pub_key",
  }),
  /** Threads that carry traffic; a change takes effect with the next restart. */
  proxysql_threads: z.int().min(1).max(255).default(4),
});

/** A Galera node as the proxies know it. */
export const proxyNode = z.strictObject({ name: z.string(), address: z.ipv4() });

export const proxysqlParams = z.strictObject({
  nodes: z.array(proxyNode).min(1).describe("The Galera nodes, the preferred writer first"),
  credentials: z
    .strictObject({
      monitorPassword: secretParam(),
      adminPassword: secretParam(),
      healthPassword: secretParam(),
      verifyPassword: secretParam(),
      appUser: z.string(),
      appPassword: secretParam(),
    })
    .describe("Passwords of the accounts that ProxySQL knows"),
  monitorUser: z.string().default("monitor").describe("MariaDB account of the health checks"),
  verifyUser: z.string().default("keybuzz_verify").describe("Account that the checks of `verify` write with"),
  healthUser: z.string().default("keybuzz_health").describe("Account of the agent that answers the load balancer"),
  readerUser: z
    .strictObject({ name: z.string(), password: secretParam() })
    .optional()
    .describe("An account whose queries go to the readers, for reports and backups"),
  serverVersion: z
    .string()
    .default("11.8.6-MariaDB")
    .describe("Version that clients see; ProxySQL's own default says MySQL 8.0.11, which misleads Frappe"),
  serverConnections: z.int().min(1).default(500).describe("Connections to one node at most, of each proxy"),
  clientConnections: z.int().min(1).default(2048).describe("Connections of clients at most, of each proxy"),
  healthPort: z.int().min(1).max(65535).default(9200).describe("Port of the health agent"),
});

export type ProxysqlParams = z.output<typeof proxysqlParams>;
