import {
  apt,
  aptRepository,
  blockinfile,
  directory,
  dockerEngine,
  filesystem,
  mount,
  service,
  sysctl,
  ufw,
  ufwRule,
} from "@keybuzz/modules";
import { defineRole, type Host, type Task } from "@keybuzz/runner";
import * as z from "zod";
import { DATA } from "../paths.ts";
import { allowedTo, type FleetHost, type Kind } from "./firewall.ts";

const SYSCTL_FILE = "/etc/sysctl.d/60-keybuzz.conf";

/** What each host of the fleet declares; all of it has defaults. */
export const PreparedHost = z.object({
  ansible_port: z.coerce.number().int().default(22),
  /** Where clients of the entry point are. */
  private_network: z.cidrv4().default("10.0.0.0/24"),
  /** Addresses that may reach databases and admin ports directly: operators' machines, monitoring. */
  operator_addresses: z.array(z.ipv4()).default([]),
  /** Addresses of a provider's load balancer, where the entry point is no host of the inventory. */
  entry_points: z.array(z.ipv4()).default([]),
  /** Kernel settings; vm.* as a database wants them. */
  kernel_settings: z.record(z.string(), z.union([z.string(), z.number()])).default({
    // Keep the buffer pool in memory; 0 would invite the kernel to kill instead.
    "vm.swappiness": 1,
    "net.core.somaxconn": 4096,
    // Connections through proxies are long and often idle: find dead ones before a firewall forgets them.
    "net.ipv4.tcp_keepalive_time": 300,
    "net.ipv4.tcp_keepalive_intvl": 30,
  }),
  /** Debian 13's; the client is a package of its own there. */
  docker_packages: z.array(z.string()).default(["docker.io", "docker-cli"]),
  /** Docker's own repository, for `docker_packages: [docker-ce, docker-ce-cli, containerd.io]`. */
  docker_repository: z
    .object({
      uris: z.array(z.string()),
      suites: z.array(z.string()),
      components: z.array(z.string()),
      signed_by: z.string(),
    })
    .optional(),
});

/** What a node declares on top. */
export const PreparedNode = PreparedHost.extend({
  /** Device for the data; made XFS where it is empty. The directory lies on the root file system unless given. */
  mariadb_data_device: z.string().optional(),
});

type Prepared = Host<z.output<typeof PreparedHost>>;

const fleetHost = z.strictObject({
  name: z.string(),
  address: z.ipv4(),
  kind: z.enum(["mariadb", "proxysql", "loadbalancer"]),
});

const params = z.strictObject({
  kind: z.enum(["mariadb", "proxysql", "loadbalancer"]).describe("What these hosts are for"),
  fleet: z.array(fleetHost).min(1).describe("All hosts that have to know each other"),
  docker: z.boolean().describe("Whether containers run on these hosts"),
});

/** Everything that a host needs before a database or a proxy comes to it. */
export const prepare = defineRole({
  name: "prepare",
  summary: "Names, kernel settings, firewall, Docker, the data volume",
  params,
  host: PreparedHost,
  async run({ hosts, params: { kind, fleet, docker } }) {
    await hosts.ensure((host) => [
      ...names(fleet),
      ...kernel(host),
      ...firewall(host, kind, fleet),
      ...(docker ? engine(host) : []),
    ]);
  },
});

/** The data volume of a node: XFS, never made on a device that holds anything. */
export const dataVolume = defineRole({
  name: "data_volume",
  summary: "The volume of a node's data",
  params: z.strictObject({}),
  host: PreparedNode,
  async run({ hosts }) {
    await hosts.ensure(({ vars }) => [
      ...["/opt/keybuzz", "/opt/keybuzz/mariadb"].map((path) =>
        directory({ path, mode: "0755", owner: "root", group: "root" }),
      ),
      ...(vars.mariadb_data_device === undefined ? [] : volume(vars.mariadb_data_device)),
    ]);
  },
});

function names(fleet: readonly FleetHost[]): readonly Task[] {
  const block = fleet.map(({ name, address }) => `${address} ${name}`).join("\n");
  return [blockinfile({ path: "/etc/hosts", block })];
}

function kernel({ vars }: Prepared): readonly Task[] {
  return Object.entries(vars.kernel_settings).map(([name, value]) =>
    sysctl({ name, value: String(value), sysctl_file: SYSCTL_FILE }),
  );
}

function firewall(host: Prepared, kind: Kind, fleet: readonly FleetHost[]): readonly Task[] {
  const rules = allowedTo({
    kind,
    fleet,
    sshPort: host.vars.ansible_port,
    entryPoints: host.vars.entry_points,
    operators: host.vars.operator_addresses,
    privateNetwork: host.vars.private_network,
  });
  return [
    apt({ name: "ufw" }),
    ...rules.map(({ from, ports, proto, comment }) => ufwRule({ rule: "allow", proto, from, to_port: ports, comment })),
    // In force only once the rules are there: SSH is among them.
    ufw({ state: "enabled", default: { incoming: "deny", outgoing: "allow" } }),
    // `ufw enable` alone leaves a host open after a reboot where its unit was disabled.
    service({ name: "ufw", enabled: true }),
  ];
}

function engine({ vars }: Prepared): readonly Task[] {
  const repository = vars.docker_repository;
  return [
    ...(repository === undefined ? [] : [aptRepository({ name: "docker", ...repository })]),
    apt({ name: vars.docker_packages, install_recommends: false }),
    // Containers outlive a restart of the daemon, and their logs do not fill the disk.
    dockerEngine({
      daemon: { "live-restore": true, "log-driver": "json-file", "log-opts": { "max-size": "50m", "max-file": "3" } },
    }),
  ];
}

function volume(device: string): readonly Task[] {
  return [
    apt({ name: "xfsprogs" }),
    filesystem({ dev: device, fstype: "xfs", label: "mariadb" }),
    // nofail: a host whose volume is missing still boots, and can be reached. The server does not start without its data.
    mount({ path: DATA, src: device, fstype: "xfs", opts: "defaults,noatime,nofail" }),
  ];
}
