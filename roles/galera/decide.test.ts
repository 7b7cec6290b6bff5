import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Decision, decideStart } from "./decide.ts";
import { type Condition, conditionOf, type Evidence } from "./evidence.ts";
import {
  A,
  ALL,
  B,
  clean,
  crashed,
  detached,
  empty,
  foreign,
  halfInitialised,
  halfTransfer,
  initialising,
  live,
  members,
  type Part,
  partitioned,
  server,
  standalone,
  unseen,
  view,
  waiting,
} from "./testing.ts";

const seed = "maria-01";

/** A decision in a line. */
function brief(decision: Decision): string {
  const short = (hosts: readonly string[]): string => hosts.map((host) => host.slice(-1)).join("");
  switch (decision.kind) {
    case "join":
      return `join ${short(decision.live)}+${short(decision.start)} restart ${short(decision.restart)} leave ${short(decision.left.map(({ host }) => host))}`;
    case "bootstrap":
      return `${decision.fresh ? "new cluster" : "bootstrap"} ${short([decision.host])} then ${short(decision.joiners)}`;
    case "together":
      return `together ${short(decision.hosts)} then ${short(decision.joiners)}`;
    case "promote":
      return `promote ${short([decision.host])} then ${short(decision.joiners)}`;
    case "refuse":
      return `refuse: ${decision.why}`;
  }
}

describe("conditionOf", () => {
  it.each<[string, Part | typeof unseen, Condition]>([
    ["no data at all", empty, "empty"],
    ["tables of a first start that was cut short", halfInitialised, "empty"],
    ["tables of a first start that goes on", initialising, "initialising"],
    ["a clean stop", clean(18), "clean"],
    ["a crash", crashed(), "crashed"],
    ["a transfer cut short", halfTransfer, "half-transfer"],
    ["a primary, ready server", live(), "live"],
    ["a donor", { ...live(), server: { ...server, uuid: A, state: "Donor/Desynced" } }, "live"],
    [
      "a joiner that answers before it is ready",
      { ...live(), server: { ...server, uuid: A, ready: false } },
      "waiting",
    ],
    ["a server without a majority", partitioned, "partitioned"],
    ["a server whose group is gone", detached, "detached"],
    ["a process that serves nobody", waiting(), "waiting"],
    ["a stand-alone server's data", foreign, "foreign"],
    ["a stand-alone server", standalone, "foreign"],
    ["a place in a history, and no tables", { saved: { uuid: A, seqno: 3, safe: true } }, "foreign"],
    ["a host that does not answer", unseen, "unknown"],
  ])("takes %s", (_what, part, condition) => {
    const [member] = members(part);
    expect(member && conditionOf(member)).toBe(condition);
  });
});

describe("decideStart", () => {
  it.each<[string, readonly (Part | typeof unseen)[], string]>([
    ["bare hosts", [empty, empty, empty], "new cluster 1 then 23"],
    ["bare hosts, an earlier first start cut short", [halfInitialised, empty, empty], "new cluster 1 then 23"],
    ["a first start that goes on", [initialising, empty, empty], "together 1 then 23"],
    ["a first start that goes on elsewhere", [empty, empty, initialising], "together 3 then 12"],
    ["a converged cluster", [live(), live(), live()], "join 123+ restart  leave "],
    ["a first run cut short after the bootstrap", [live(), empty, empty], "join 1+23 restart  leave "],
    ["a first run cut short in a transfer", [live(), halfTransfer, empty], "join 1+23 restart  leave "],
    ["one stopped cleanly, two live", [clean(9), live(), live()], "join 23+1 restart  leave "],
    ["T1: the writer killed", [crashed("a"), live(), live()], "join 23+1 restart  leave "],
    ["T6: no grastate beside two live", [halfTransfer, live(), live()], "join 23+1 restart  leave "],
    ["T6: safe_to_bootstrap set beside two live", [clean(3, true), live(), live()], "join 23+1 restart  leave "],
    ["T13: a member replaced by a bare host", [live(), empty, live()], "join 13+2 restart  leave "],
    ["T7: one cut off", [live(), live(), partitioned], "join 12+ restart  leave 3"],
    ["one that lost its group", [live(), detached, live()], "join 13+ restart 2 leave "],
    ["one that joins already", [live(), waiting(), live()], "join 13+2 restart  leave "],
    ["one that cannot be asked, others live", [unseen, live(), live()], "join 23+ restart  leave 1"],
    ["one that has writes which the live cluster lacks", [clean(10), live(), live()], "join 23+ restart  leave 1"],
    ["data of another cluster beside a live one", [live(), clean(4, true, B), empty], "join 1+3 restart  leave 2"],
    ["a stand-alone server beside a live one", [live(), live(), standalone], "join 12+ restart  leave 3"],
    ["T2: all stopped cleanly", [clean(18, true), clean(17), clean(16)], "bootstrap 1 then 23"],
    ["T2: the last to leave is not the seed", [clean(16), clean(17), clean(18, true)], "bootstrap 3 then 12"],
    ["T3: all killed, views in place", [crashed("a"), crashed("b"), crashed("c")], "together 123 then "],
    ["all killed and started, still waiting", [waiting("a"), waiting("b"), waiting("c")], "together 123 then "],
    [
      "all killed and started, caught while they find each other",
      [waiting("a"), { ...waiting("b"), view: view("b", ALL, "3 a 4") }, waiting()],
      "together 123 then ",
    ],
    ["all killed, some started", [waiting("a"), crashed("b"), crashed("c")], "together 123 then "],
    [
      "one left cleanly, then the others were killed",
      [crashed("a", ["a", "b"]), crashed("b", ["a", "b"]), clean(7)],
      "together 12 then 3",
    ],
    ["a lone first member killed before any joined", [crashed("a", ["a"]), empty, empty], "together 1 then 23"],
    ["no majority, the killed ones stopped", [partitioned, crashed("b"), crashed("c")], "together 123 then "],
  ])("%s", (_what, parts, wanted) => {
    expect(brief(decideStart(members(...parts), { seed }))).toBe(wanted);
  });

  it.each<[string, readonly (Part | typeof unseen)[], string]>([
    ["T8: the seed cannot be asked, others bare", [unseen, empty, empty], "maria-01 cannot be asked"],
    ["T8: one cannot be asked, others stopped", [unseen, clean(9, true), clean(9)], "maria-01 cannot be asked"],
    ["T4: all killed, no views", [crashed(), crashed(), crashed()], "the last view cannot be restored"],
    ["T4: one view missing", [crashed("a"), crashed("b"), crashed()], "the last view cannot be restored"],
    ["T5: all killed, one lost its data", [crashed("a"), crashed("b"), empty], "the last view cannot be restored"],
    ["T5: as before, and started", [waiting("a"), waiting("b"), empty], "wait for members that are not all there"],
    [
      "views of different times",
      [crashed("a"), crashed("b"), { ...crashed("c"), view: view("c", ALL, "3 a 2") }],
      "last view",
    ],
    ["all stopped, none was the last", [clean(9), clean(9), clean(9)], "no member was the last to leave"],
    ["all stopped, two claim to be the last", [clean(9, true), clean(9, true), clean(9)], "all claim to have been"],
    [
      "the last to leave is behind (a forced flag)",
      [clean(7, true), clean(9), clean(8)],
      "maria-02, maria-03 have later writes",
    ],
    ["all stopped, one bare", [clean(9, true), clean(9), empty], "maria-03 has no data any more"],
    ["stopped, of different clusters", [clean(9, true), clean(9, false, B), clean(9)], "different clusters"],
    ["two live clusters", [live(), live(B), empty], "there are 2 clusters"],
    ["a new cluster in the making beside a live one", [live(), initialising, empty], "maria-02 makes a new cluster"],
    ["two new clusters in the making", [initialising, initialising, empty], "make a new cluster each"],
    ["a new cluster in the making beside data", [initialising, clean(9, true), empty], "others hold data or run"],
    ["stand-alone data on a member, no cluster", [foreign, empty, empty], "belongs to no cluster"],
    ["a stand-alone server, no cluster", [empty, standalone, empty], "belongs to no cluster"],
    ["bare, but was a member (a volume not mounted)", [{ recorded: A }, empty, empty], "was part of cluster"],
    ["bare, with half a transfer", [empty, halfTransfer, empty], "was receiving"],
    ["no majority anywhere", [partitioned, partitioned, partitioned], "run without a majority"],
    ["no majority, the others bare", [partitioned, empty, empty], "no stopped member has data"],
    ["nobody has a group", [detached, clean(1), clean(1)], "has lost the group"],
  ])("refuses: %s", (_what, parts, reason) => {
    const decision = decideStart(members(...parts), { seed });
    expect(brief(decision)).toContain(reason);
    expect(decision.kind === "refuse" && decision.hint).toBeTruthy();
  });

  it("refuses a seed that is no member", () => {
    expect(brief(decideStart(members(empty, empty), { seed: "maria-09" }))).toContain(
      "maria-09, is not in the inventory",
    );
  });
});

const uuid = fc.constantFrom(A, B);
const anyMember: fc.Arbitrary<Part | typeof unseen> = fc.oneof(
  fc.constantFrom<Part | typeof unseen>(
    unseen,
    empty,
    halfTransfer,
    initialising,
    halfInitialised,
    foreign,
    standalone,
    partitioned,
    detached,
  ),
  fc.record({ running: fc.boolean(), tables: fc.boolean(), halfTransfer: fc.boolean(), initialising: fc.boolean() }),
  uuid.map(live),
  fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean(), uuid).map(([seqno, safe, id]) => clean(seqno, safe, id)),
  fc
    .tuple(
      fc.option(fc.constantFrom(...ALL), { nil: undefined }),
      fc.subarray([...ALL], { minLength: 1 }),
      uuid,
      fc.boolean(),
    )
    .map(([self, names, id, running]) => ({ ...crashed(self, names, id), running })),
  fc.constant<Part>({ recorded: A }),
);
const anyCluster = fc.array(anyMember, { minLength: 1, maxLength: 5 }).map((parts) => members(...parts));
const decide = (cluster: readonly Evidence[]): Decision => decideStart(cluster, { seed });
const check = (holds: (cluster: readonly Evidence[], decision: Decision) => void): void =>
  fc.assert(
    fc.property(anyCluster, (cluster) => holds(cluster, decide(cluster))),
    { numRuns: 5000 },
  );

describe("decideStart, whatever the evidence", () => {
  it("never bootstraps while a mariadbd runs, or could", () => {
    check((cluster, decision) => {
      const busy = cluster.some((member) => member.kind === "unseen" || member.running || member.server !== undefined);
      if (busy) expect(decision.kind).not.toBe("bootstrap");
    });
  });

  it("never makes a new cluster where anybody has data, or had", () => {
    check((cluster, decision) => {
      if (decision.kind !== "bootstrap" || !decision.fresh) return;
      for (const member of cluster) {
        expect(conditionOf(member)).toBe("empty");
        expect(member.kind === "seen" && member.recorded).toBeUndefined();
      }
    });
  });

  it("never bootstraps a member that is behind another", () => {
    check((cluster, decision) => {
      if (decision.kind !== "bootstrap" || decision.fresh) return;
      const seqnos = cluster.map((member) => (member.kind === "seen" ? (member.saved?.seqno ?? -1) : Number.NaN));
      const chosen = cluster.findIndex(({ host }) => host === decision.host);
      expect(seqnos[chosen]).toBe(Math.max(...seqnos));
      expect(Math.min(...seqnos)).toBeGreaterThanOrEqual(0);
    });
  });

  it("never mixes the data of two clusters", () => {
    check((cluster, decision) => {
      if (decision.kind === "refuse") return;
      const acted =
        decision.kind === "join"
          ? [...decision.live, ...decision.start, ...decision.restart]
          : cluster.map(({ host }) => host);
      const uuids = cluster.flatMap((member) =>
        member.kind === "seen" && acted.includes(member.host) ? (member.server?.uuid ?? member.saved?.uuid ?? []) : [],
      );
      expect(new Set(uuids).size).toBeLessThanOrEqual(1);
    });
  });

  it("names every member once, and only those it knows", () => {
    check((cluster, decision) => {
      const named =
        decision.kind === "join"
          ? [...decision.live, ...decision.start, ...decision.restart, ...decision.left.map(({ host }) => host)]
          : decision.kind === "bootstrap"
            ? [decision.host, ...decision.joiners]
            : decision.kind === "together"
              ? [...decision.hosts, ...decision.joiners]
              : cluster.map(({ host }) => host);
      expect([...named].sort()).toEqual(cluster.map(({ host }) => host).sort());
    });
  });

  it("is the same for the same evidence, and does not depend on its order but for the seed", () => {
    check((cluster, decision) => {
      const again = decide([...cluster].reverse());
      expect(again.kind).toBe(decision.kind);
      if (again.kind === "bootstrap" && decision.kind === "bootstrap") expect(again.host).toBe(decision.host);
    });
  });
});
