import { describe, expect, it } from "vitest";
import type { NodeEvidence, ProxyEvidence } from "./evidence.ts";
import { nodeFindings, portFinding, proxyFindings, toRow } from "./findings.ts";
import { closedTo } from "./ports.ts";

const HEALTHY = {
  wsrep_cluster_status: "Primary",
  wsrep_cluster_size: "3",
  wsrep_cluster_conf_id: "7",
  wsrep_cluster_state_uuid: "9fd2e046-e611-11f1-b4ed-72528749d27a",
  wsrep_cluster_address: "gcomm://10.0.0.170,10.0.0.171,10.0.0.172",
  wsrep_ready: "ON",
  wsrep_connected: "ON",
  wsrep_local_state_comment: "Synced",
  wsrep_flow_control_paused: "0.000123",
  wsrep_local_recv_queue: "0",
  read_only: "0",
  anonymous_accounts: "0",
  remote_root: "",
};

const node = (name: string, changed: Partial<typeof HEALTHY> = {}, more: Partial<NodeEvidence> = {}) => ({
  name,
  evidence: {
    values: new Map(Object.entries({ ...HEALTHY, ...changed })),
    refusal: "",
    bootstrapArmed: false,
    ...more,
  },
});
const failing = (findings: ReturnType<typeof nodeFindings>): readonly string[] =>
  findings.filter(({ ok }) => !ok).map(({ check, where }) => `${check}: ${where}`);
const trio = (...last: Parameters<typeof node> extends [string, ...infer R] ? R : never) => [
  node("maria-01"),
  node("maria-02"),
  node("maria-03", ...last),
];

describe("nodes", () => {
  it("pass when all is well", () => {
    expect(failing(nodeFindings(trio(), 3))).toEqual([]);
  });

  it.each([
    [{ wsrep_cluster_status: "non-Primary" }, "cluster status"],
    [{ wsrep_cluster_size: "2" }, "cluster size"],
    [{ wsrep_local_state_comment: "Donor/Desynced" }, "node state"],
    [{ wsrep_ready: "OFF" }, "node ready"],
    [{ read_only: "1" }, "takes writes"],
    [{ wsrep_flow_control_paused: "0.4" }, "flow control"],
    [{ wsrep_local_recv_queue: "900" }, "receive queue"],
    [{ anonymous_accounts: "1" }, "anonymous accounts"],
    [{ remote_root: "%" }, "root from afar"],
  ])("%j fails %s alone, and says what it means", (changed, check) => {
    const findings = nodeFindings(trio(changed), 3);
    expect(failing(findings)).toEqual([`${check}: maria-03`]);
    expect(findings.find(({ ok }) => !ok)?.meaning).toBeTruthy();
  });

  it("fails two clusters that each look well", () => {
    const findings = nodeFindings(trio({ wsrep_cluster_state_uuid: "other" }), 3);
    expect(failing(findings)).toEqual(["same cluster state uuid: all nodes"]);
  });

  it("fails a node that would bootstrap at its next start", () => {
    expect(failing(nodeFindings(trio({}, { bootstrapArmed: true }), 3))).toEqual(["no bootstrap at restart: maria-03"]);
  });

  it("fails a node that does not answer once, with what the client said", () => {
    const dead = { name: "maria-03", evidence: { values: new Map(), refusal: "Can't connect", bootstrapArmed: false } };
    const findings = nodeFindings([node("maria-01"), node("maria-02"), dead], 3);
    expect(failing(findings)).toEqual(["server answers: maria-03"]);
    expect(findings.find(({ ok }) => !ok)?.found).toBe("Can't connect");
  });
});

describe("proxies", () => {
  const servers = ["10 10.0.0.170 ONLINE", "10 10.0.0.171 SHUNNED", "30 10.0.0.171 ONLINE", "30 10.0.0.172 ONLINE"];
  const proxy = (name: string, changed: Partial<ProxyEvidence> = {}) => ({
    name,
    evidence: { servers, refusal: "", health: "HTTP/1.0 200 OK: writer: maria-01", defaultAdmin: false, ...changed },
  });

  it("pass when all is well", () => {
    expect(failing(proxyFindings([proxy("a"), proxy("b")], 3))).toEqual([]);
  });

  it("explains the client's misleading error where no node can be reached", () => {
    const none = proxy("b", {
      servers: ["9999 10.0.0.170 SHUNNED"],
      health: "HTTP/1.0 503 Service Unavailable: no writable node",
    });
    const findings = proxyFindings([none], 3);
    expect(failing(findings)).toEqual(["one writer: b", "readers: b", "writable through it: b"]);
    expect(findings.find(({ check }) => check === "one writer")?.meaning).toMatch(
      /2027.*Malformed packet.*look at the nodes/,
    );
  });

  it("fail for two writers, a different view, a default password, a silent admin port", () => {
    const two = proxy("b", { servers: [...servers, "10 10.0.0.172 ONLINE"] });
    expect(failing(proxyFindings([proxy("a"), two], 3))).toEqual([
      "one writer: b",
      "same view of the nodes: all proxies",
    ]);
    expect(failing(proxyFindings([proxy("a", { defaultAdmin: true })], 3))).toEqual(["admin:admin refused: a"]);
    expect(failing(proxyFindings([proxy("a", { servers: [], refusal: "refused" })], 3))).toEqual([
      "admin port answers: a",
    ]);
  });
});

it("tells which ports each kind of host must not reach", () => {
  const fleet = {
    nodes: [{ name: "n", address: "10.0.0.170" }],
    proxies: [
      { name: "p", address: "10.0.0.173" },
      { name: "q", address: "10.0.0.174" },
    ],
  };
  expect(closedTo("loadbalancer", "lb", fleet).map(({ name, port }) => `${name}:${port}`)).toEqual([
    "n:3306",
    "n:4444",
    "n:4567",
    "n:4568",
    "p:6032",
    "q:6032",
  ]);
  expect(closedTo("proxysql", "p", fleet).map(({ name, port }) => `${name}:${port}`)).toEqual([
    "n:4444",
    "n:4567",
    "n:4568",
    "q:3306",
    "q:6032",
  ]);
  expect(portFinding("lb", 6, []).ok).toBe(true);
  expect(toRow(portFinding("lb", 6, ["n:3306"]))).toMatchObject({
    status: "failed",
    cells: ["closed ports", "from lb", "open: n:3306", expect.stringContaining("prepare.ts")],
  });
});
