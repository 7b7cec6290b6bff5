import type { NodeState } from "./state.ts";

/** Write sets that wait to be applied; a node with more falls behind, and would fall further with one node less. */
const MOST_QUEUED = 100;

/** Whether a node is as it has to be beside others that are stopped, in a component of `least` members: true, or why not. */
export function healthOf(node: NodeState | undefined, least: number): true | string {
  if (node === undefined) return "its server does not answer";
  if (node.status !== "Primary") return `it is ${node.status}`;
  if (node.desynced) return "it is desynchronised: a backup, or an operator, works on it";
  if (node.state !== "Synced") return `it is ${node.state}, not Synced`;
  if (!node.ready) return "it answers no queries yet";
  if (node.size < least) return `it sees ${node.size} members, not ${least}`;
  if (node.receiveQueue > MOST_QUEUED) return `${node.receiveQueue} write sets wait to be applied on it`;
  return node.flowControl ? "flow control holds up writes" : true;
}

/** What the nodes do not agree on; undefined where they are one cluster in one view. */
export function disagreement(nodes: ReadonlyMap<string, NodeState>): string | undefined {
  const values = (of: (node: NodeState) => string): ReadonlySet<string> => new Set([...nodes.values()].map(of));
  const uuids = values(({ uuid }) => uuid);
  if (uuids.size > 1) return `the nodes are of different clusters: ${[...uuids].join(", ")}`;
  const views = [...nodes].map(([name, { configuration }]) => `${name} ${configuration}`);
  return values(({ configuration }) => configuration).size > 1
    ? `the nodes are in different views: ${views.join(", ")}`
    : undefined;
}

/**
 * Seconds of writes that the node with most of them keeps for one that is away: within that time it gets what it missed, and
 * not everything. At the rate between two looks, or since the start where that is higher.
 */
export function gcacheWindow(before: ReadonlyMap<string, NodeState>, now: ReadonlyMap<string, NodeState>): number {
  return Math.max(
    0,
    ...[...now].map(([name, node]) => {
      const earlier = before.get(name);
      const passed = earlier === undefined ? 0 : node.clock - earlier.clock;
      // A restart in between starts the count anew.
      const grown =
        earlier === undefined || node.trafficBytes < earlier.trafficBytes
          ? 0
          : node.trafficBytes - earlier.trafficBytes;
      const recent = passed > 0 ? grown / passed : 0;
      const mean = node.trafficBytes / Math.max(1, node.uptimeSeconds);
      const rate = Math.max(recent, mean);
      return rate === 0 ? Number.POSITIVE_INFINITY : node.gcacheBytes / rate;
    }),
  );
}
