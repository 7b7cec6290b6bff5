import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BatchRules,
  floorOf,
  type HealthFloor,
  type HostCount,
  planBatches,
  requireCount,
  shareOf,
} from "./batches.ts";

const hosts = (...names: string[]) => names.map((name) => ({ name, group: name.charAt(0), taking: true }));
const one = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ name: `h${n + 1}`, group: "", taking: true }));

describe("the batches of one group", () => {
  it.each<[string, number, BatchRules, string]>([
    ["one at a time", 3, { max: 1 }, "h1 | h2 | h3"],
    ["two at a time", 5, { max: 2 }, "h1 h2 | h3 h4 | h5"],
    ["more than there are", 2, { max: 10 }, "h1 h2"],
    ["a share", 8, { max: "25%" }, "h1 h2 | h3 h4 | h5 h6 | h7 h8"],
    ["a share below one host", 3, { max: "10%" }, "h1 | h2 | h3"],
    ["a share, rounded down", 5, { max: "50%" }, "h1 h2 | h3 h4 | h5"],
    [
      "a canary, then more, the last size for all that follow",
      8,
      { max: [1, 2, "50%"] },
      "h1 | h2 h3 | h4 h5 h6 h7 | h8",
    ],
    ["a quorum of three", 3, { max: "100%", minHealthy: "quorum" }, "h1 | h2 | h3"],
    ["a quorum of five", 5, { max: 5, minHealthy: "quorum" }, "h1 h2 | h3 h4 | h5"],
    ["a floor of half, rounded up", 5, { max: 5, minHealthy: "50%" }, "h1 h2 | h3 h4 | h5"],
    ["a floor of none", 2, { max: 2, minHealthy: 0 }, "h1 h2"],
  ])("%s", (_what, count, rules, expected) => {
    const [group] = planBatches(one(count), rules);
    expect(group?.batches.map((batch) => batch.join(" ")).join(" | ")).toBe(expected);
  });

  it.each<[number, HealthFloor]>([
    [1, "quorum"],
    [2, "quorum"],
    [3, 3],
    [3, "100%"],
  ])("is refused where %i hosts have a floor of %s", (count, minHealthy) => {
    expect(() => planBatches(one(count), { max: 1, minHealthy })).toThrow(/have to stay healthy/);
  });

  it("counts those that are not worked on for the floor, and takes none of them", () => {
    const members = one(5).map((host, index) => ({ ...host, taking: index < 3 }));
    const [group] = planBatches(members, { max: 5, minHealthy: "quorum" });
    expect(group).toMatchObject({ floor: 3, batches: [["h1", "h2"], ["h3"]] });
  });
});

it("never mixes groups, and keeps the order in each", () => {
  const planned = planBatches(hosts("b1", "a1", "b2", "a2"), { max: 2 });
  expect(planned.map(({ group, batches }) => [group, batches])).toEqual([
    ["b", [["b1", "b2"]]],
    ["a", [["a1", "a2"]]],
  ]);
});

it.each<[HostCount, 0 | 1, boolean]>([
  [0, 1, false],
  [0, 0, true],
  [1.5, 0, false],
  [-1, 0, false],
  [Number.NaN, 0, false],
  ["0%", 1, false],
  ["0%", 0, true],
  ["120%", 0, false],
  ["33.3%", 1, true],
])("%s, with %i as the least, is a count: %s", (count, least, fits) => {
  const check = () => requireCount("max", count, least);
  if (fits) expect(check).not.toThrow();
  else expect(check).toThrow(/no number of hosts/);
});

const share = fc.integer({ min: 1, max: 100 }).map((percent): HostCount => `${percent}%`);
const size = fc.oneof(fc.integer({ min: 1, max: 12 }), share);
const members = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1 }), group: fc.constantFrom("a", "b", "c"), taking: fc.boolean() }),
  { selector: ({ name }) => name, maxLength: 30 },
);
const floors = fc.option(fc.oneof(fc.constant<HealthFloor>("quorum"), fc.integer({ min: 0, max: 4 }), share), {
  nil: undefined,
});

describe("any plan", () => {
  it("takes each host once, in order, in batches that leave the floor of its group alone", () => {
    const sizes = fc.oneof(size, fc.array(size, { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(members, sizes, floors, (all, max, minHealthy) => {
        const inGroup = (name: string) => all.filter(({ group }) => group === name);
        let plan: ReturnType<typeof planBatches>;
        try {
          plan = planBatches(all, { max, minHealthy });
        } catch {
          // Refused: some group with work to do has no room above its floor.
          const groups = ["a", "b", "c"].map(inGroup).filter((group) => group.some(({ taking }) => taking));
          expect(groups.some((group) => floorOf(minHealthy ?? 0, group.length) >= group.length)).toBe(true);
          return;
        }
        for (const { group, members: names, floor, batches } of plan) {
          expect(names).toEqual(inGroup(group).map(({ name }) => name));
          expect(batches.flat()).toEqual(
            inGroup(group)
              .filter(({ taking }) => taking)
              .map(({ name }) => name),
          );
          for (const [index, batch] of batches.entries()) {
            const list = Array.isArray(max) ? max : [max];
            const wanted = list[Math.min(index, list.length - 1)] ?? 1;
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(Math.max(1, shareOf(wanted, batches.flat().length)));
            expect(names.length - batch.length).toBeGreaterThanOrEqual(floor ?? 0);
          }
        }
      }),
    );
  });

  it("keeps more than half beside each batch where a quorum is asked for", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 40 }), size, (count, max) => {
        const [plan] = planBatches(one(count), { max, minHealthy: "quorum" });
        for (const batch of plan?.batches ?? []) expect((count - batch.length) * 2).toBeGreaterThan(count);
      }),
    );
  });
});
