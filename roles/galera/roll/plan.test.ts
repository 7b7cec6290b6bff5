import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planRoll, type RollNode, type RollPlan, type RollProxy } from "./plan.ts";

const node = (number: number, more: Partial<RollNode> = {}): RollNode => ({
  name: `maria-0${number}`,
  address: `10.0.0.17${number - 1}`,
  serving: true,
  due: ["asked for"],
  ...more,
});
const proxy = (number: number, ...writers: readonly number[]): RollProxy => ({
  name: `proxysql-0${number}`,
  writers: writers.map((writer) => `10.0.0.17${writer - 1}`),
});
const NODES = [node(1), node(2), node(3)];

function brief(plan: RollPlan): string {
  if (plan.kind !== "roll") return `${plan.kind}: ${plan.why}`;
  return plan.order.map((name) => name.slice(-1)).join("");
}

describe("planRoll", () => {
  it.each<[string, readonly RollNode[], readonly RollProxy[], string]>([
    ["the writer last", NODES, [proxy(1, 1), proxy(2, 1)], "321"],
    ["the writer last, whoever it is", NODES, [proxy(1, 3), proxy(2, 3)], "213"],
    ["only those that need it", [node(1, { due: [] }), node(2), node(3, { due: [] })], [proxy(1, 1)], "2"],
    [
      "one that does not serve first, though it is not due",
      [node(1), node(2, { serving: false, due: [] }), node(3)],
      [proxy(1, 1)],
      "231",
    ],
    ["without proxies, the first of the inventory last", NODES, [], "321"],
    [
      "nothing where none needs it",
      NODES.map((one) => ({ ...one, due: [] })),
      [proxy(1, 1)],
      "nothing: no node needs it",
    ],
  ])("%s", (_what, nodes, proxies, wanted) => {
    expect(brief(planRoll(nodes, proxies, []))).toBe(wanted);
  });

  it.each<[string, readonly RollNode[], readonly RollProxy[], readonly string[], string]>([
    ["proxies that disagree", NODES, [proxy(1, 1), proxy(2, 2)], [], "write to different nodes"],
    ["a proxy without a writer", NODES, [proxy(1, 1), proxy(2)], [], "proxysql-02 has no node to write to"],
    ["a proxy with two writers", NODES, [proxy(1, 1, 2)], [], "10.0.0.170 and 10.0.0.171"],
    ["a proxy that cannot be asked", NODES, [proxy(1, 1)], ["proxysql-02"], "proxysql-02 cannot be asked"],
    [
      "two nodes that do not serve",
      [node(1), node(2, { serving: false }), node(3, { serving: false })],
      [proxy(1, 1)],
      [],
      "do not serve",
    ],
    ["a writer that is no node", NODES, [proxy(1, 9)], [], "which is no node"],
  ])("refuses %s", (_what, nodes, proxies, silent, why) => {
    expect(brief(planRoll(nodes, proxies, silent))).toMatch(/^refuse: /);
    expect(brief(planRoll(nodes, proxies, silent))).toContain(why);
  });

  it("takes each that needs it once, and the writer behind all that serve", () => {
    const nodes = fc
      .array(fc.record({ serving: fc.boolean(), due: fc.constantFrom([], ["x"]) }), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.map((part, index) => node(index + 1, part)));
    fc.assert(
      fc.property(nodes, fc.integer({ min: 1, max: 5 }), (cluster, writer) => {
        const plan = planRoll(cluster, [proxy(1, writer), proxy(2, writer)], []);
        if (plan.kind !== "roll") return;
        const wanted = cluster.filter(({ due, serving }) => due.length > 0 || !serving).map(({ name }) => name);
        expect([...plan.order].sort()).toEqual(wanted);
        const serving = plan.order.filter((name) => cluster.find((one) => one.name === name)?.serving);
        if (serving.includes(plan.writer)) expect(serving.at(-1)).toBe(plan.writer);
      }),
    );
  });
});
