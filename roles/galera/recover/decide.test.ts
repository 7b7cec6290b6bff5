import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conditionOf, type Evidence, type Position } from "../evidence.ts";
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
  waiting,
} from "../testing.ts";
import { decideRecovery, type Recovery, type RecoveryOptions } from "./decide.ts";

const OPTIONS: RecoveryOptions = { seed: "maria-01", fenced: [], acceptLoss: [], restoreView: true };

/** A member whose place was measured since it stopped. */
const measured = (seqno: number, uuid = A): Part => ({
  ...crashed(),
  position: { uuid, seqno },
  saved: { uuid, seqno: -1, safe: false },
});
/** Its grastate.dat is there and holds nothing. */
const zeroed = (position?: Position | "none"): Part => ({ tables: true, halfTransfer: true, position });
const disowned = (seqno: number): Part => ({ tables: true, disowned: true, position: { uuid: A, seqno } });
const gone: Part = { recorded: A };

/** A recovery in a line. */
function brief(recovery: Recovery): string {
  const short = (hosts: readonly string[]): string => hosts.map((host) => host.slice(-1)).join("");
  switch (recovery.kind) {
    case "refuse":
      return `refuse: ${recovery.why}; ${recovery.hint}`;
    case "measure":
      return `stop ${short(recovery.stop)} measure ${short(recovery.measure)}`;
    case "forget":
      return `forget ${short(recovery.hosts)}`;
    case "start": {
      const { decision, aside } = recovery;
      const moved = aside.length === 0 ? "" : ` aside ${short(aside.map(({ host }) => host))}`;
      if (decision.kind === "join")
        return `join ${short(decision.live)}+${short(decision.start)} leave ${short(decision.left.map(({ host }) => host))}${moved}`;
      if (decision.kind === "together") return `together ${short(decision.hosts)}${moved}`;
      if (decision.kind === "promote")
        return `promote ${short([decision.host])} then ${short(decision.joiners)}${moved}`;
      const at = decision.at === undefined ? "" : ` at ${decision.at.seqno}`;
      return `bootstrap ${short([decision.host])}${at} then ${short(decision.joiners)}${moved}`;
    }
  }
}

const decide = (parts: readonly (Part | typeof unseen)[], options: Partial<RecoveryOptions> = {}): string =>
  brief(decideRecovery(members(...parts), { ...OPTIONS, ...options }));

describe("decideRecovery", () => {
  it.each<[string, readonly (Part | typeof unseen)[], string]>([
    ["a live cluster is joined, never bootstrapped beside", [live(), measured(99), clean(3, true)], "join 1+23 leave "],
    ["all crashed with their view: they restore it", [crashed("a"), crashed("b"), crashed("c")], "together 123"],
    ["all stopped cleanly: the last to leave", [clean(7), clean(9, true), clean(8)], "bootstrap 2 then 13"],
    ["all stopped cleanly, nobody was the last to leave", [clean(7), clean(9), clean(8)], "bootstrap 2 at 9 then 13"],
    ["all crashed without views: all are measured", [crashed(), crashed(), crashed()], "stop  measure 123"],
    ["some wait for those that are gone: they are stopped", [waiting("a"), waiting("b"), empty], "stop 12 measure 12"],
    ["a member that lost its group is stopped", [detached, clean(5), clean(6)], "stop 1 measure 1"],
    ["measured: the one with the most", [measured(7), measured(9), measured(8)], "bootstrap 2 at 9 then 13"],
    ["measured: equal places, the first", [measured(9), measured(9), measured(9)], "bootstrap 1 at 9 then 23"],
    [
      "measured and clean: equal places, the one that was the last",
      [measured(9), clean(9, true), measured(9)],
      "bootstrap 2 at 9 then 13",
    ],
    [
      "an emptied grastate.dat: InnoDB's word counts",
      [zeroed({ uuid: A, seqno: 12 }), measured(9), measured(8)],
      "bootstrap 1 at 12 then 23",
    ],
    ["an emptied grastate.dat is measured", [zeroed(), clean(9), clean(9)], "stop  measure 1"],
    ["half a transfer has nothing of its own", [halfTransfer, measured(9), measured(8)], "bootstrap 2 at 9 then 13"],
    ["a replaced, bare host has nothing of its own", [empty, measured(9), measured(8)], "bootstrap 2 at 9 then 13"],
    [
      "data being moved aside does not count",
      [{ ...measured(99, B), movingAside: true }, measured(9), measured(8)],
      "bootstrap 2 at 9 then 13",
    ],
    [
      "data that Galera found inconsistent never goes on",
      [disowned(9), measured(9), measured(8)],
      "bootstrap 2 at 9 then 13 aside 1",
    ],
    ["without a majority, the others stopped with less", [partitioned, measured(9), measured(8)], "promote 1 then 23"],
    ["without a majority, the others to be measured", [partitioned, crashed("b"), crashed("c")], "stop  measure 23"],
    ["without a majority anywhere", [partitioned, partitioned, partitioned], "promote 1 then 23"],
    ["without a majority, a stopped one has more", [partitioned, measured(12), measured(8)], "stop 1 measure "],
  ])("%s", (_what, parts, wanted) => {
    expect(decide(parts)).toBe(wanted);
  });

  it.each<[string, readonly (Part | typeof unseen)[], string]>([
    ["a host that cannot be asked", [unseen, measured(9), measured(9)], "-e fenced=maria-01"],
    ["all hosts unreachable", [unseen, unseen, unseen], "-e fenced=maria-01 or -e fenced=maria-02"],
    ["two live clusters", [live(), live(B), empty], "there are 2 clusters"],
    ["a first start that goes on", [initialising, empty, empty], "kb play galera.ts"],
    ["bare hosts", [empty, empty, halfInitialised], "kb play galera.ts makes a new cluster"],
    ["a stand-alone server", [standalone, measured(9), measured(9)], "runs a server that is in no cluster"],
    ["no data where there was some", [gone, gone, empty], "-e accept_loss=everything-of-1fa4691c"],
    ["data without a place, and no other", [{ ...foreign, position: "none" }, empty, empty], "no place can be found"],
    [
      "a member that lost its data, and may have had the latest",
      [gone, measured(9), measured(9)],
      "-e accept_loss=maria-01:unknown",
    ],
    [
      "data that cannot be read beside others",
      [{ ...crashed(), position: "none" }, measured(9), measured(9)],
      "-e accept_loss=maria-01:unknown",
    ],
    ["inconsistent data that is ahead", [disowned(12), measured(9), measured(8)], "-e accept_loss=maria-01:3"],
    [
      "two histories: each way is named with what it costs",
      [measured(50), measured(48), measured(7, B)],
      "to go on with maria-01 at 1fa4691c:50: -e accept_loss=maria-03:7; to go on with maria-03 at 9fd2e046:7: -e accept_loss=maria-01:50,maria-02:48",
    ],
  ])("refuses: %s", (_what, parts, said) => {
    expect(decide(parts)).toMatch(/^refuse: /);
    expect(decide(parts)).toContain(said);
  });

  it("goes on without a host that was switched off", () => {
    expect(decide([unseen, measured(9), measured(8)], { fenced: ["maria-01"] })).toBe("bootstrap 2 at 9 then 3");
    expect(decide([unseen, clean(9, true), clean(8)], { fenced: ["maria-01"] })).toBe("bootstrap 2 then 3");
    expect(decide([unseen, partitioned, measured(8)], { fenced: ["maria-01"] })).toBe("promote 2 then 3");
  });

  it("refuses a fence that is not true, or of nobody", () => {
    expect(decide([measured(9), measured(9)], { fenced: ["maria-01"] })).toContain(
      "was said to be switched off, and answers",
    );
    expect(decide([measured(9), measured(9)], { fenced: ["db-9"] })).toContain("db-9 is no member");
  });

  it("makes no new cluster while a host that was switched off may have the data", () => {
    expect(decide([unseen, empty, empty], { fenced: ["maria-01"] })).toMatch(/^refuse/);
    expect(decide([unseen, gone, gone], { fenced: ["maria-01"], acceptLoss: ["everything-of-1fa4691c"] })).toMatch(
      /^refuse/,
    );
  });

  it("gives up exactly what the operator typed", () => {
    const diverged = [measured(50), measured(48), measured(7, B)];
    expect(decide(diverged, { acceptLoss: ["maria-03:7"] })).toBe("bootstrap 1 at 50 then 23 aside 3");
    expect(decide(diverged, { acceptLoss: ["maria-01:50", "maria-02:48"] })).toBe("bootstrap 3 at 7 then 12 aside 12");
    expect(decide(diverged, { acceptLoss: ["maria-01:50"] })).toMatch(/^refuse/);
    expect(decide(diverged, { acceptLoss: ["maria-03:6"] })).toMatch(/^refuse/);
    expect(decide(diverged, { acceptLoss: ["maria-03:7", "maria-01:50", "maria-02:48"] })).toMatch(/^refuse/);
    expect(decide([gone, measured(9), measured(9)], { acceptLoss: ["maria-01:unknown"] })).toBe(
      "bootstrap 2 at 9 then 13",
    );
    expect(decide([gone, gone, empty], { acceptLoss: ["everything-of-1fa4691c"] })).toBe("forget 12");
  });

  it("joins a member of another history to a live cluster only once its loss was accepted", () => {
    const parts = [live(), live(), measured(7, B)];
    expect(decide(parts)).toBe("join 12+ leave 3");
    expect(decide(parts, { acceptLoss: ["maria-03:7"] })).toBe("join 12+3 leave  aside 3");
    expect(decide([live(), live(), clean(11)], { acceptLoss: ["maria-03:2"] })).toBe("join 12+3 leave  aside 3");
  });

  it("leaves out the views where it is told to", () => {
    const parts = [crashed("a"), crashed("b"), crashed("c")];
    expect(decide(parts, { restoreView: false })).toBe("stop  measure 123");
    expect(decide([waiting("a"), waiting("b"), waiting("c")], { restoreView: false })).toBe("stop 123 measure 123");
  });
});

const uuid = fc.constantFrom(A, B);
const place = fc.option(
  fc.oneof(fc.constant<"none">("none"), fc.record({ uuid, seqno: fc.integer({ min: 0, max: 4 }) })),
  { nil: undefined },
);
const anyMember: fc.Arbitrary<Part | typeof unseen> = fc.oneof(
  fc.constantFrom<Part | typeof unseen>(
    unseen,
    empty,
    halfTransfer,
    initialising,
    halfInitialised,
    standalone,
    partitioned,
    detached,
    gone,
  ),
  uuid.map(live),
  fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean(), uuid).map(([seqno, safe, id]) => clean(seqno, safe, id)),
  fc
    .tuple(
      fc.option(fc.constantFrom(...ALL), { nil: undefined }),
      fc.subarray([...ALL], { minLength: 1 }),
      uuid,
      fc.boolean(),
      place,
    )
    .map(([self, names, id, running, position]) => ({ ...crashed(self, names, id), running, position })),
  fc.tuple(fc.boolean(), fc.boolean(), place).map(([halfTransferred, owned, position]) => ({
    tables: true,
    halfTransfer: halfTransferred,
    disowned: !owned,
    position,
    recorded: A,
  })),
  fc.tuple(fc.integer({ min: 0, max: 4 })).map(([committed]) => ({
    ...partitioned,
    server: { ...server, uuid: A, status: "non-Primary", ready: false, committed },
  })),
);
const anyCluster = fc.array(anyMember, { minLength: 1, maxLength: 5 }).map((parts) => members(...parts));
const anyCase = anyCluster.chain((cluster) => {
  const hosts = cluster.map(({ host }) => host);
  const losses = hosts.flatMap((host) => [0, 1, 2, 3, 4, "unknown"].map((writes) => `${host}:${writes}`));
  return fc.record({
    cluster: fc.constant(cluster),
    options: fc.record({
      seed: fc.constant("maria-01"),
      fenced: fc.oneof(fc.constant([]), fc.subarray(hosts)),
      acceptLoss: fc.oneof(fc.constant([]), fc.subarray([...losses, "everything-of-1fa4691c"])),
      restoreView: fc.boolean(),
    }),
  });
});
const always = (holds: (cluster: readonly Evidence[], recovery: Recovery, options: RecoveryOptions) => void): void =>
  fc.assert(
    fc.property(anyCase, ({ cluster, options }) => holds(cluster, decideRecovery(cluster, options), options)),
    { numRuns: 6000 },
  );
/** Whether it makes or re-makes a primary component. */
const remakes = (recovery: Recovery): string | undefined =>
  recovery.kind === "start" && (recovery.decision.kind === "bootstrap" || recovery.decision.kind === "promote")
    ? recovery.decision.host
    : undefined;
/** How much a member has of a history, as far as it may go on with it. */
function placeOf(member: Evidence): Position | undefined {
  if (member.kind !== "seen" || member.movingAside || member.receiving || member.disowned) return undefined;
  if (member.server !== undefined) return { uuid: member.server.uuid, seqno: member.server.committed };
  if (member.saved !== undefined && member.saved.seqno >= 0) return member.saved;
  return member.position === "none" || !member.tables ? undefined : member.position;
}

describe("decideRecovery, whatever the evidence", () => {
  it("never makes a second primary component: not beside a live member, not beside one that may be live", () => {
    always((cluster, recovery, { fenced }) => {
      const counted = cluster.filter(({ host }) => !fenced.includes(host));
      const mayLive = counted.some((member) => ["live", "unknown"].includes(conditionOf(member)));
      if (mayLive) expect(remakes(recovery)).toBeUndefined();
    });
  });

  it("bootstraps only where nothing runs, and promotes only what runs without a majority", () => {
    always((cluster, recovery) => {
      if (recovery.kind !== "start") return;
      const { decision } = recovery;
      const runs = cluster.filter((member) => member.kind === "seen" && member.running).map(({ host }) => host);
      if (decision.kind === "bootstrap") expect(runs).toEqual([]);
      if (decision.kind === "promote") expect(runs).toContain(decision.host);
    });
  });

  it("never goes on with a member that has less of its history than another", () => {
    always((cluster, recovery, { fenced }) => {
      const host = remakes(recovery);
      if (host === undefined) return;
      const places = cluster
        .filter((member) => !fenced.includes(member.host))
        .map((member) => ({ host: member.host, place: placeOf(member) }));
      const chosen = places.find((one) => one.host === host)?.place;
      expect(chosen).toBeDefined();
      const same = places.flatMap(({ place: other }) => (other?.uuid === chosen?.uuid ? [other?.seqno ?? -1] : []));
      expect(chosen?.seqno).toBe(Math.max(...same));
    });
  });

  it("never gives anything up that the operator did not name", () => {
    always((cluster, recovery, { acceptLoss, fenced }) => {
      const host = remakes(recovery);
      if (recovery.kind !== "start" || host === undefined) return;
      const best = cluster.map(placeOf)[cluster.findIndex((member) => member.host === host)];
      for (const member of cluster) {
        const own = placeOf(member);
        if (fenced.includes(member.host) || own === undefined || own.uuid === best?.uuid) continue;
        expect(acceptLoss).toContain(`${member.host}:${own.seqno}`);
        expect(recovery.aside.map((loss) => loss.host)).toContain(member.host);
      }
    });
  });

  it("never makes a new, empty cluster", () => {
    always((_cluster, recovery) => {
      if (recovery.kind === "start" && recovery.decision.kind === "bootstrap")
        expect(recovery.decision.fresh).toBe(false);
    });
  });

  it("names no host that is fenced, and asks nothing of one that cannot be asked", () => {
    always((cluster, recovery, { fenced }) => {
      const text = recovery.kind === "measure" ? [...recovery.stop, ...recovery.measure] : [];
      for (const host of text) {
        expect(fenced).not.toContain(host);
        expect(cluster.find((member) => member.host === host)?.kind).toBe("seen");
      }
      if (recovery.kind === "start") {
        expect(fenced.filter((host) => JSON.stringify(recovery.decision).includes(`"${host}"`))).toEqual([]);
      }
    });
  });

  it("comes to an end: what it wants measured or stopped, it does not want again", () => {
    always((cluster, first, options) => {
      let [seen, recovery] = [cluster, first];
      for (let round = 0; recovery.kind === "measure"; round += 1) {
        expect(round).toBeLessThan(3);
        const { stop, measure } = recovery;
        seen = seen.map((member): Evidence => {
          if (member.kind === "unseen" || ![...stop, ...measure].includes(member.host)) return member;
          const stopped = stop.includes(member.host) ? { ...member, running: false, server: undefined } : member;
          return measure.includes(member.host) ? { ...stopped, position: { uuid: A, seqno: 3 } } : stopped;
        });
        recovery = decideRecovery(seen, options);
      }
    });
  });

  it("is the same for the same evidence in another order", () => {
    always((cluster, recovery, options) => {
      const again = decideRecovery([...cluster].reverse(), options);
      expect(again.kind).toBe(recovery.kind);
    });
  });
});
