import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GaleraAnswer, type GaleraGroup, type Health, judge, type Node, placeNodes } from "./galera-placement.ts";
import type { ServerRow } from "./hostgroups.ts";

const GROUP: GaleraGroup = {
  writer: 10,
  backup: 20,
  reader: 30,
  offline: 9999,
  maxWriters: 1,
  writerIsAlsoReader: 0,
  maxTransactionsBehind: 100,
};

const SYNCED: GaleraAnswer = {
  isPrimary: true,
  isReadOnly: false,
  receiveQueue: 0,
  localState: 4,
  isDesynced: false,
  rejectsQueries: false,
  donorRejectsQueries: false,
};

function node(
  number: number,
  weight: number,
  health: Health = { kind: "writable" },
  row: Partial<ServerRow> = {},
): Node {
  const configured: ServerRow = {
    hostgroup: 10,
    hostname: `10.0.0.17${number - 1}`,
    port: 3306,
    gtidPort: 0,
    status: "ONLINE",
    weight,
    compression: 0,
    maxConnections: 1000,
    maxReplicationLag: 0,
    useSsl: 0,
    maxLatencyMs: 0,
    comment: "",
    ...row,
  };
  return { configured: [configured], health };
}

/** The notation of the measurements: `10=1,2:SHUNNED 20=2`, nodes by the last digit of their address, from 1. */
function drawn(rows: readonly ServerRow[]): string {
  const byGroup = Map.groupBy(rows, (row) => row.hostgroup);
  const entry = (row: ServerRow): string =>
    `${Number(row.hostname.slice(-1)) + 1}${row.status === "ONLINE" ? "" : `:${row.status}`}`;
  return [...byGroup]
    .sort(([left], [right]) => left - right)
    .map(([hostgroup, members]) => `${hostgroup}=${members.map(entry).sort().join(",")}`)
    .join(" ");
}

const NODES = [node(1, 1000), node(2, 500), node(3, 100)];
const OFFLINE: Health = { kind: "offline", reason: "refused", isSoft: false };
const UNFIT: Health = { kind: "offline", reason: "1047", isSoft: true };

describe("placement as measured in front of three nodes", () => {
  test.each([
    [1, 0, "10=1,2:SHUNNED,3:SHUNNED 20=2,3"],
    [1, 1, "10=1,2:SHUNNED,3:SHUNNED 20=2,3 30=1,2,3"],
    [1, 2, "10=1,2:SHUNNED,3:SHUNNED 20=2,3 30=2,3"],
    [2, 0, "10=1,2,3:SHUNNED 20=3"],
    [3, 0, "10=1,2,3"],
  ])("max_writers=%i writer_is_also_reader=%i: %s", (maxWriters, writerIsAlsoReader, expected) => {
    expect(drawn(placeNodes({ ...GROUP, maxWriters, writerIsAlsoReader }, NODES))).toBe(expected);
  });

  test("equal weights: the highest address writes", () => {
    expect(drawn(placeNodes(GROUP, [node(1, 1), node(2, 1), node(3, 1)]))).toBe("10=1:SHUNNED,2:SHUNNED,3 20=1,2");
  });

  test("a node that is gone goes to the offline hostgroup, the next heaviest writes", () => {
    const nodes = [node(1, 1000, OFFLINE), node(2, 500), node(3, 100)];
    expect(drawn(placeNodes({ ...GROUP, writerIsAlsoReader: 2 }, nodes))).toBe("10=2,3:SHUNNED 20=3 30=3 9999=1");
  });

  test("a read-only node reads", () => {
    const nodes = [node(1, 1000, { kind: "read only" }), node(2, 500), node(3, 100)];
    expect(drawn(placeNodes(GROUP, nodes))).toBe("10=2,3:SHUNNED 20=3 30=1");
  });

  test("the last node stays writer although it serves nobody", () => {
    const nodes = [node(1, 1000, UNFIT), node(2, 500, OFFLINE), node(3, 100, OFFLINE)];
    expect(drawn(placeNodes(GROUP, nodes))).toBe("10=1 9999=2,3");
  });

  test("a node that is drained does not write", () => {
    const nodes = [node(1, 1000, { kind: "writable" }, { status: "OFFLINE_SOFT" }), node(2, 500), node(3, 100)];
    expect(drawn(placeNodes(GROUP, nodes))).toBe("10=1:OFFLINE_SOFT,2,3:SHUNNED 20=3");
  });

  test("one writable node leaves the reader hostgroup empty with writer_is_also_reader=2", () => {
    const nodes = [node(1, 1000), node(2, 500, OFFLINE), node(3, 100, OFFLINE)];
    expect(drawn(placeNodes({ ...GROUP, writerIsAlsoReader: 2 }, nodes))).toBe("10=1 9999=2,3");
  });
});

test("whatever the nodes' health, at most maxWriters write and every node is placed", () => {
  const health = fc.constantFrom<Health>(
    { kind: "unknown" },
    { kind: "writable" },
    { kind: "read only" },
    OFFLINE,
    UNFIT,
  );
  fc.assert(
    fc.property(fc.array(health, { minLength: 1, maxLength: 7 }), fc.nat(3), fc.nat(2), (healths, maxWriters, also) => {
      const nodes = healths.map((state, index) => node(index + 1, 100 - index, state));
      const rows = placeNodes({ ...GROUP, maxWriters, writerIsAlsoReader: also }, nodes);
      expect(rows.filter((row) => row.hostgroup === 10 && row.status === "ONLINE").length).toBeLessThanOrEqual(
        maxWriters,
      );
      expect(new Set(rows.map((row) => row.hostname)).size).toBe(nodes.length);
    }),
  );
});

describe("judgement of an answer", () => {
  test.each<[string, Partial<GaleraAnswer>, Health["kind"]]>([
    ["synced", {}, "writable"],
    ["read only", { isReadOnly: true }, "read only"],
    ["read only and behind", { isReadOnly: true, receiveQueue: 101 }, "offline"],
    ["writable and behind", { receiveQueue: 101 }, "writable"],
    ["desynced", { isDesynced: true }, "offline"],
    ["non-primary", { isPrimary: false }, "offline"],
    ["rejecting", { rejectsQueries: true }, "offline"],
    ["joining", { localState: 1 }, "offline"],
    ["donor", { localState: 2 }, "writable"],
    ["donor that rejects", { localState: 2, donorRejectsQueries: true }, "offline"],
  ])("%s", (_title, answer, kind) => {
    expect(judge({ ...SYNCED, ...answer }, GROUP).kind).toBe(kind);
  });
});
