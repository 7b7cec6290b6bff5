import type { ServerRow } from "./hostgroups.ts";

/** A row of mysql_galera_hostgroups. */
export interface GaleraGroup {
  readonly writer: number;
  readonly backup: number;
  readonly reader: number;
  readonly offline: number;
  readonly maxWriters: number;
  /** 0: writers and their backups do not read; 1: they do; 2: only the backups do. */
  readonly writerIsAlsoReader: number;
  readonly maxTransactionsBehind: number;
}

/** What a check read from a node. */
export interface GaleraAnswer {
  readonly isPrimary: boolean;
  readonly isReadOnly: boolean;
  readonly receiveQueue: number;
  readonly localState: number;
  readonly isDesynced: boolean;
  readonly rejectsQueries: boolean;
  readonly donorRejectsQueries: boolean;
}

/** What is known about a node. */
export type Health =
  /** Not checked since the servers were loaded: it counts as what it was loaded as. */
  | { readonly kind: "unknown" }
  | { readonly kind: "writable" }
  | { readonly kind: "read only" }
  /** `isSoft`: the node answers, but does not serve; the last such node of a cluster is kept as writer. */
  | { readonly kind: "offline"; readonly reason: string; readonly isSoft: boolean };

/** A node of a cluster, as it was configured and as it is. */
export interface Node {
  /** Its rows of mysql_servers within the group's hostgroups; at least one. */
  readonly configured: readonly ServerRow[];
  readonly health: Health;
}

const SYNCED = 4;
const DONOR = 2;

function offline(reason: string, isSoft = false): Health {
  return { kind: "offline", reason, isSoft };
}

/** Judges a node by its answer. */
export function judge(answer: GaleraAnswer, group: GaleraGroup): Health {
  if (!answer.isPrimary) return offline("primary_partition=NO", true);
  if (answer.isDesynced) return offline("wsrep_desync=YES");
  if (answer.rejectsQueries) return offline("wsrep_reject_queries=true", true);
  const isServingDonor = answer.localState === DONOR && !answer.donorRejectsQueries;
  if (answer.localState !== SYNCED && !isServingDonor) return offline(`wsrep_local_state=${answer.localState}`);
  if (!answer.isReadOnly) return { kind: "writable" };
  const isBehind = group.maxTransactionsBehind > 0 && answer.receiveQueue > group.maxTransactionsBehind;
  return isBehind ? offline(`slave_lag=${answer.receiveQueue}`) : { kind: "read only" };
}

type Role = "writer" | "reader" | "offline";

function roleOf(node: Node, group: GaleraGroup): Role {
  switch (node.health.kind) {
    case "writable":
      return "writer";
    case "read only":
      return "reader";
    case "offline":
      return "offline";
    case "unknown": {
      const isIn = (hostgroup: number): boolean => node.configured.some((row) => row.hostgroup === hostgroup);
      if (isIn(group.writer) || isIn(group.backup)) return "writer";
      return isIn(group.reader) ? "reader" : "offline";
    }
  }
}

function rowIn(node: Node, hostgroup: number, status: ServerRow["status"] = "ONLINE"): ServerRow {
  const row = node.configured.find((candidate) => candidate.hostgroup === hostgroup) ?? node.configured[0];
  if (row === undefined) throw new Error("a node without a row of mysql_servers");
  return { ...row, hostgroup, status };
}

/** Heaviest first; among equals the highest name, then the highest port. */
function byPreference(left: Node, right: Node): number {
  const [a, b] = [left.configured[0], right.configured[0]];
  if (a === undefined || b === undefined) return 0;
  if (a.weight !== b.weight) return b.weight - a.weight;
  if (a.hostname !== b.hostname) return a.hostname > b.hostname ? -1 : 1;
  return b.port - a.port;
}

function isDrained(node: Node): boolean {
  return node.configured.some((row) => row.status === "OFFLINE_SOFT");
}

/** Nodes that take the writer's part: if none is fit, those that are unfit only softly. */
function writerCandidates(nodes: readonly Node[], group: GaleraGroup): Node[] {
  const fit = nodes.filter((node) => roleOf(node, group) === "writer" && !isDrained(node));
  if (fit.length > 0 || nodes.some((node) => roleOf(node, group) === "reader")) return fit;
  return nodes.filter((node) => node.health.kind === "offline" && node.health.isSoft);
}

/**
 * Places the nodes of a cluster into its four hostgroups.
 *
 * Of the writable nodes, the `maxWriters` heaviest are ONLINE in the writer hostgroup; the others are SHUNNED there
 * and ONLINE in the backup hostgroup.
 *
 * @returns the rows of all four hostgroups.
 */
export function placeNodes(group: GaleraGroup, nodes: readonly Node[]): ServerRow[] {
  const candidates = writerCandidates(nodes, group).sort(byPreference);
  const writers = candidates.slice(0, group.maxWriters);
  const backups = candidates.slice(group.maxWriters);
  const others = nodes.filter((node) => !candidates.includes(node));
  const alsoReaders = [
    ...(group.writerIsAlsoReader === 1 ? writers : []),
    ...(group.writerIsAlsoReader === 0 ? [] : backups),
  ];
  return [
    ...writers.map((node) => rowIn(node, group.writer)),
    ...backups.flatMap((node) => [rowIn(node, group.writer, "SHUNNED"), rowIn(node, group.backup)]),
    ...alsoReaders.map((node) => rowIn(node, group.reader)),
    ...others.map((node) => {
      if (isDrained(node)) return rowIn(node, group.writer, "OFFLINE_SOFT");
      return rowIn(node, roleOf(node, group) === "reader" ? group.reader : group.offline);
    }),
  ];
}
