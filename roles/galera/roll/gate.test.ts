import { describe, expect, it } from "vitest";
import { disagreement, gcacheWindow, healthOf } from "./gate.ts";
import { type NodeState, parseNodeState } from "./state.ts";

const MIB = 2 ** 20;
const well: NodeState = {
  ready: true,
  status: "Primary",
  state: "Synced",
  size: 3,
  uuid: "1fa4691c-e60e-11f1-9d74-730fa2316a94",
  configuration: "38",
  receiveQueue: 0,
  flowControl: false,
  desynced: false,
  trafficBytes: 0,
  gcacheBytes: 128 * MIB,
  clock: 1000,
  uptimeSeconds: 3600,
};
const states = (...nodes: readonly Partial<NodeState>[]): ReadonlyMap<string, NodeState> =>
  new Map(nodes.map((node, index) => [`maria-0${index + 1}`, { ...well, ...node }]));

describe("healthOf", () => {
  it.each<[string, Partial<NodeState> | undefined, true | string]>([
    ["a member that is well", {}, true],
    ["one without a server", undefined, "does not answer"],
    ["one without a majority", { status: "non-Primary" }, "non-Primary"],
    ["a donor", { state: "Donor/Desynced" }, "Donor/Desynced"],
    ["one that a backup desynchronised", { desynced: true }, "a backup"],
    ["one of two", { size: 2 }, "2 members, not 3"],
    ["one that is behind", { receiveQueue: 5000 }, "5000 write sets"],
    ["one that flow control holds", { flowControl: true }, "flow control"],
    ["one that is not ready", { ready: false }, "no queries"],
  ])("judges %s", (_what, node, wanted) => {
    const found = healthOf(node && { ...well, ...node }, 3);
    if (wanted === true) expect(found).toBe(true);
    else expect(found).toContain(wanted);
  });
});

describe("disagreement", () => {
  it("finds none in one view", () => {
    expect(disagreement(states({}, {}, {}))).toBeUndefined();
  });

  it("finds two clusters, and two views", () => {
    expect(disagreement(states({}, { uuid: "other" }))).toContain("different clusters");
    expect(disagreement(states({}, { configuration: "39" }))).toContain("maria-02 39");
  });
});

describe("gcacheWindow", () => {
  it("is as long as the node with most of them keeps writes, at the rate of now", () => {
    const before = states({ trafficBytes: 0 }, { trafficBytes: 0, gcacheBytes: 256 * MIB });
    const now = states(
      { trafficBytes: 10 * MIB, clock: 1010 },
      { trafficBytes: 10 * MIB, clock: 1010, gcacheBytes: 256 * MIB },
    );
    expect(gcacheWindow(before, now)).toBeCloseTo(256);
  });

  it("takes the rate since the start where that is higher", () => {
    const now = states({ trafficBytes: 3600 * MIB, clock: 1010 });
    expect(gcacheWindow(states({ trafficBytes: 3600 * MIB }), now)).toBeCloseTo(128);
  });

  it("is endless without writes, and counts anew after a restart", () => {
    expect(gcacheWindow(states({}), states({ clock: 1010 }))).toBe(Number.POSITIVE_INFINITY);
    const restarted = states({ trafficBytes: 36 * MIB, clock: 1010, uptimeSeconds: 36 });
    expect(gcacheWindow(states({ trafficBytes: 5000 * MIB }), restarted)).toBeCloseTo(128);
  });
});

describe("parseNodeState", () => {
  const said = `wsrep_cluster_conf_id\t38
wsrep_cluster_size\t3
wsrep_cluster_state_uuid\t9fd2e046-e611-11f1-b4ed-72528749d27a
wsrep_cluster_status\tPrimary
wsrep_flow_control_active\tfalse
wsrep_local_recv_queue\t2
wsrep_local_state_comment\tSynced
wsrep_ready\tON
wsrep_received_bytes\t473024
wsrep_replicated_bytes\t1123824
uptime\t77
desync\t0
clock\t1795335123.250000
options\tbase_dir = /var/lib/mysql/; gcache.page_size = 128M; gcache.recover = yes; gcache.size = 204M; gcs.fc_limit = 128
`;

  it("reads what a server says", () => {
    expect(parseNodeState({ stdout: said, stderr: "", exitCode: 0 })).toEqual({
      ...well,
      uuid: "9fd2e046-e611-11f1-b4ed-72528749d27a",
      receiveQueue: 2,
      trafficBytes: 473024 + 1123824,
      gcacheBytes: 204 * MIB,
      clock: 1795335123.25,
      uptimeSeconds: 77,
    });
  });

  it("takes no answer for a server that is away", () => {
    expect(parseNodeState({ stdout: "", stderr: "ERROR 2002", exitCode: 1 })).toBeUndefined();
  });
});
