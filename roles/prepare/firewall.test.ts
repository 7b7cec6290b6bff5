import { describe, expect, it } from "vitest";
import { type Allow, allowedTo, type FirewallPlan, type FleetHost } from "./firewall.ts";

const fleet: readonly FleetHost[] = [
  { name: "maria-01", address: "10.0.0.170", kind: "mariadb" },
  { name: "maria-02", address: "10.0.0.171", kind: "mariadb" },
  { name: "proxysql-01", address: "10.0.0.173", kind: "proxysql" },
  { name: "lb-01", address: "10.0.0.20", kind: "loadbalancer" },
];
const base: FirewallPlan = {
  kind: "mariadb",
  sshPort: 22,
  fleet,
  entryPoints: [],
  operators: [],
  privateNetwork: "10.0.0.0/24",
};
const from = (rules: readonly Allow[], port: number): readonly string[] =>
  rules.filter((rule) => rule.ports.split(",").includes(String(port))).map((rule) => rule.from);

describe("a node", () => {
  const rules = allowedTo(base);

  it("lets SSH in first, at the port that is used", () => {
    expect(rules[0]).toMatchObject({ from: "any", ports: "22" });
    expect(allowedTo({ ...base, sshPort: 2222 })[0]).toMatchObject({ ports: "2222" });
  });

  it("answers members and proxies, and not the entry point's clients", () => {
    expect(from(rules, 3306)).toEqual(["10.0.0.170", "10.0.0.171", "10.0.0.173"]);
  });

  it("speaks Galera with members alone, on all of its ports", () => {
    for (const port of [4567, 4568, 4444]) {
      expect(new Set(from(rules, port))).toEqual(new Set(["10.0.0.170", "10.0.0.171"]));
    }
    expect(rules.filter(({ proto }) => proto === "udp").map(({ ports }) => ports)).toEqual(["4567", "4567"]);
  });

  it("lets operators in where they are named", () => {
    expect(from(allowedTo({ ...base, operators: ["10.0.0.250"] }), 3306)).toContain("10.0.0.250");
  });
});

describe("a proxy", () => {
  it("answers the load balancers alone", () => {
    const rules = allowedTo({ ...base, kind: "proxysql", entryPoints: ["10.0.0.21"] });
    expect(from(rules, 3306)).toEqual(["10.0.0.20", "10.0.0.21"]);
    expect(from(rules, 9200)).toEqual(["10.0.0.20", "10.0.0.21"]);
    expect(from(rules, 6032)).toEqual([]);
  });

  it("answers the private network where nothing stands before it", () => {
    const rules = allowedTo({ ...base, kind: "proxysql", fleet: fleet.filter(({ kind }) => kind !== "loadbalancer") });
    expect(from(rules, 3306)).toEqual(["10.0.0.0/24"]);
  });

  it("opens its admin port to operators alone", () => {
    expect(from(allowedTo({ ...base, kind: "proxysql", operators: ["10.0.0.250"] }), 6032)).toEqual(["10.0.0.250"]);
  });
});

it("a load balancer answers the private network", () => {
  expect(from(allowedTo({ ...base, kind: "loadbalancer" }), 3306)).toEqual(["10.0.0.0/24"]);
});

it("never names anybody twice", () => {
  const rules = allowedTo({ ...base, operators: ["10.0.0.170", "10.0.0.250", "10.0.0.250"] });
  const keys = rules.map(({ from: source, ports, proto }) => `${source} ${ports} ${proto}`);
  expect(new Set(keys).size).toBe(keys.length);
});
