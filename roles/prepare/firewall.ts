/** What a host is for; decides who may reach it. */
export type Kind = "mariadb" | "proxysql" | "loadbalancer";

/** A host of the fleet, as rules and /etc/hosts need it. */
export interface FleetHost {
  readonly name: string;
  readonly address: string;
  readonly kind: Kind;
}

/** Everything that the rules of one host follow from. */
export interface FirewallPlan {
  readonly kind: Kind;
  readonly sshPort: number;
  readonly fleet: readonly FleetHost[];
  /** Addresses of entry points that are no host of ours: a provider's load balancer. */
  readonly entryPoints: readonly string[];
  /** Addresses from which people and monitoring may reach the databases directly. */
  readonly operators: readonly string[];
  /** Where clients of the entry point are, in CIDR notation. */
  readonly privateNetwork: string;
}

/** One rule to allow connections to the host. */
export interface Allow {
  readonly from: string;
  /** A port, or several joined by commas. */
  readonly ports: string;
  readonly proto: "tcp" | "udp";
  readonly comment: string;
}

/** The ports of Galera between its members; UDP is for multicast alone. */
const GALERA_PORTS = [
  { ports: "4444,4567,4568", proto: "tcp", comment: "Galera SST, group, IST" },
  { ports: "4567", proto: "udp", comment: "Galera group, multicast" },
] as const;

/**
 * Who may reach a host, and nobody else: the way is load balancer, proxy, node, and no step of it can be left out.
 * SSH comes first, from anywhere: a rule that locked its operator out could not be taken back by them.
 */
export function allowedTo(plan: FirewallPlan): readonly Allow[] {
  return [
    { from: "any", ports: String(plan.sshPort), proto: "tcp", comment: "SSH" },
    ...KINDS[plan.kind](plan).filter((rule, index, all) => all.findIndex((other) => same(rule, other)) === index),
  ];
}

const KINDS: Readonly<Record<Kind, (plan: FirewallPlan) => readonly Allow[]>> = {
  mariadb(plan) {
    const members = addresses(plan, "mariadb");
    const clients = [...members, ...addresses(plan, "proxysql"), ...plan.operators];
    return [
      ...clients.map((from) => allow(from, 3306, "MariaDB")),
      ...members.flatMap((from) => GALERA_PORTS.map((rule) => ({ from, ...rule }))),
    ];
  },
  proxysql(plan) {
    const balancers = [...addresses(plan, "loadbalancer"), ...plan.entryPoints];
    // Where nothing stands in front of the proxies, their clients are the private network's.
    const clients = balancers.length === 0 ? [plan.privateNetwork] : balancers;
    return [
      ...[...clients, ...plan.operators].map((from) => allow(from, 3306, "ProxySQL")),
      ...[...clients, ...plan.operators].map((from) => allow(from, 9200, "health agent")),
      ...plan.operators.map((from) => allow(from, 6032, "ProxySQL admin")),
    ];
  },
  loadbalancer: (plan) => [allow(plan.privateNetwork, 3306, "entry point")],
};

function allow(from: string, port: number, comment: string): Allow {
  return { from, ports: String(port), proto: "tcp", comment };
}

function addresses(plan: FirewallPlan, kind: Kind): readonly string[] {
  return plan.fleet.filter((host) => host.kind === kind).map(({ address }) => address);
}

function same(a: Allow, b: Allow): boolean {
  return a.from === b.from && a.ports === b.ports && a.proto === b.proto;
}
