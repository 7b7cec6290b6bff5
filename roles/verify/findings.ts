import type { TableRow } from "@keybuzz/runner";
import type { NodeEvidence, ProxyEvidence } from "./evidence.ts";

/** One check: what was looked at, what was found, what should have been. */
export interface Finding {
  readonly check: string;
  readonly where: string;
  readonly found: string;
  readonly wanted: string;
  readonly ok: boolean;
  /** For what is not as it should be: what it means, and what to do. */
  readonly meaning?: string;
}

type Seen<T> = readonly { readonly name: string; readonly evidence: T }[];

/** Flow control above this share of time means that a slow node holds up all others. */
const FLOW_CONTROL_LIMIT = 0.1;
/** Write sets that wait to be applied; more is a node that falls behind. */
const QUEUE_LIMIT = 50;

/** Checks of the nodes, each by itself and all against each other. */
export function nodeFindings(nodes: Seen<NodeEvidence>, size: number): readonly Finding[] {
  return [...nodes.flatMap(({ name, evidence }) => checkNode(name, evidence, size)), ...agreement(nodes)];
}

function checkNode(where: string, node: NodeEvidence, size: number): readonly Finding[] {
  if (node.values.size === 0) {
    const found = node.refusal === "" ? "no answer" : node.refusal;
    const meaning =
      "no server answers on its socket: kb play galera.ts starts what may be started; what it refuses, kb play recover.ts";
    return [{ check: "server answers", where, found, wanted: "an answer", ok: false, meaning }];
  }
  const value = (name: string): string => node.values.get(name) ?? "";
  const is = (check: string, name: string, wanted: string, meaning: string): Finding => {
    const found = value(name);
    return { check, where, found, wanted, ok: found === wanted, ...(found === wanted ? {} : { meaning }) };
  };
  const below = (check: string, name: string, limit: number, meaning: string): Finding => {
    const ok = Number(value(name)) <= limit;
    return { check, where, found: value(name), wanted: `at most ${limit}`, ok, ...(ok ? {} : { meaning }) };
  };
  return [
    is(
      "cluster status",
      "wsrep_cluster_status",
      "Primary",
      "this node has lost the majority and takes no queries: mend the network; if all are so, kb play recover.ts",
    ),
    is(
      "cluster size",
      "wsrep_cluster_size",
      String(size),
      "a member is down, or cut off: look at the ones missing here; kb play galera.ts starts them",
    ),
    is(
      "node state",
      "wsrep_local_state_comment",
      "Synced",
      "it receives or sends data, falls behind, or a killed run drained it; wait, then look again; kb play galera.ts puts it back",
    ),
    is("node ready", "wsrep_ready", "ON", "it answers no queries (error 1047)"),
    is("takes writes", "read_only", "0", "somebody set read_only: ProxySQL makes a reader of it"),
    below(
      "flow control",
      "wsrep_flow_control_paused",
      FLOW_CONTROL_LIMIT,
      "writes wait for a slow node: look for its disk, its load, a long query",
    ),
    below("receive queue", "wsrep_local_recv_queue", QUEUE_LIMIT, "it applies more slowly than the others write"),
    is(
      "anonymous accounts",
      "anonymous_accounts",
      "0",
      "anybody on that host may log in, and named accounts are shadowed: drop them",
    ),
    is("root from afar", "remote_root", "", "root may log in over the network: drop those accounts"),
    {
      check: "no bootstrap at restart",
      where,
      found: node.bootstrapArmed ? "armed" : "none",
      wanted: "none",
      ok: !node.bootstrapArmed,
      ...(node.bootstrapArmed
        ? { meaning: "its next start would make a second cluster: take the option or flag away" }
        : {}),
    },
  ];
}

/** What all nodes must agree on. */
function agreement(nodes: Seen<NodeEvidence>): readonly Finding[] {
  const live = nodes.filter(({ evidence }) => evidence.values.size > 0);
  return (["wsrep_cluster_state_uuid", "wsrep_cluster_conf_id", "wsrep_cluster_address"] as const).map((name) => {
    const values = new Map(live.map(({ name: node, evidence }) => [node, evidence.values.get(name) ?? ""]));
    const distinct = new Set(values.values());
    const ok = distinct.size <= 1;
    return {
      check: `same ${name.replace(/^wsrep_/, "").replaceAll("_", " ")}`,
      where: "all nodes",
      found: ok ? ([...distinct][0] ?? "") : [...values].map(([node, value]) => `${node} ${value}`).join(", "),
      wanted: "one",
      ok,
      ...(ok
        ? {}
        : { meaning: "they are not one cluster: do not write, and do not restart anything; compare their data first" }),
    };
  });
}

/** Checks of the proxies. */
export function proxyFindings(proxies: Seen<ProxyEvidence>, nodes: number): readonly Finding[] {
  return [
    ...proxies.flatMap(({ name, evidence }) => checkProxy(name, evidence, nodes)),
    ...(proxies.length > 1 ? [sameServers(proxies)] : []),
  ];
}

function checkProxy(where: string, proxy: ProxyEvidence, nodes: number): readonly Finding[] {
  if (proxy.servers.length === 0) {
    const found = proxy.refusal === "" ? "no rows" : proxy.refusal;
    const meaning = "ProxySQL is down, or has another admin password: kb play proxysql.ts";
    return [{ check: "admin port answers", where, found, wanted: "its servers", ok: false, meaning }];
  }
  const writers = proxy.servers.filter((row) => row.startsWith("10 ") && row.endsWith(" ONLINE"));
  const readers = proxy.servers.filter((row) => row.startsWith("30 ") && row.endsWith(" ONLINE"));
  const healthy = proxy.health.includes(" 200 ");
  return [
    {
      check: "one writer",
      where,
      found: writers.join(", ") || "none",
      wanted: "one in hostgroup 10",
      ok: writers.length === 1,
      ...(writers.length === 1 ? {} : { meaning: NO_WRITER }),
    },
    {
      check: "readers",
      where,
      found: String(readers.length),
      wanted: String(nodes - 1),
      ok: readers.length === nodes - 1,
      ...(readers.length === nodes - 1
        ? {}
        : { meaning: "a node is not Synced, or cannot be reached from this proxy" }),
    },
    {
      check: "writable through it",
      where,
      found: proxy.health || "no answer",
      wanted: "200",
      ok: healthy,
      ...(healthy ? {} : { meaning: NO_WRITER }),
    },
    {
      check: "admin:admin refused",
      where,
      found: proxy.defaultAdmin ? "let in" : "refused",
      wanted: "refused",
      ok: !proxy.defaultAdmin,
      ...(proxy.defaultAdmin ? { meaning: "anybody on that host governs the proxy: kb play proxysql.ts" } : {}),
    },
  ];
}

/** What clients see then misleads: it was once chased as a fault of quoting. */
const NO_WRITER =
  "this proxy reaches no node that takes writes; clients see ERROR 9001 (Max connect timeout), or ERROR 2027 (Malformed packet): look at the nodes, not at the client";

function sameServers(proxies: Seen<ProxyEvidence>): Finding {
  const lists = proxies.map(({ evidence }) => evidence.servers.join("; "));
  const ok = new Set(lists).size === 1;
  return {
    check: "same view of the nodes",
    where: "all proxies",
    found: ok ? "equal" : proxies.map(({ name }, index) => `${name}: ${lists[index]}`).join(" | "),
    wanted: "equal",
    ok,
    ...(ok
      ? {}
      : { meaning: "each decides by itself; if they still differ in some seconds, one of them cannot reach a node" }),
  };
}

/** A port that should be closed to a host. */
export function portFinding(where: string, asked: number, open: readonly string[]): Finding {
  const ok = open.length === 0;
  return {
    check: "closed ports",
    where: `from ${where}`,
    found: ok ? "all closed" : `open: ${open.join(", ")}`,
    wanted: `${asked} closed`,
    ok,
    ...(ok ? {} : { meaning: "the firewall lets in whom it should not: kb play prepare.ts" }),
  };
}

/** A finding as a line of the table. */
export function toRow({ check, where, found, wanted, ok, meaning }: Finding): TableRow {
  return { cells: [check, where, found, ok ? "" : `wanted ${wanted}: ${meaning ?? ""}`], status: ok ? "ok" : "failed" };
}
