import { randomUUID } from "node:crypto";
import { type Host, type Hosts, RefusedError, type Secret, type TableRow } from "@keybuzz/runner";
import * as z from "zod";
import { nodeEvidence, openPorts, proxyEvidence } from "./evidence.ts";
import { type Finding, nodeFindings, portFinding, proxyFindings, toRow } from "./findings.ts";
import { closedTo } from "./ports.ts";
import { rowProof } from "./proof.ts";

/** What the checks need to know of a node. */
export const VerifiedNode = z.object({ mariadb_runtime: z.enum(["docker", "native"]).default("docker") });

/** What is checked, and with which passwords. */
export interface VerifyContext {
  readonly nodes: Hosts<z.output<typeof VerifiedNode>>;
  readonly proxies: Hosts<unknown>;
  readonly balancers: Hosts<unknown>;
  /** Address of the entry point; undefined where there is none to check. */
  readonly entryPoint: string | undefined;
  readonly credentials: {
    readonly rootPassword: Secret;
    readonly adminPassword: Secret;
    readonly verifyPassword: Secret;
  };
  /** Whether changes are still to be made that this run only predicts: then there is nothing to verify yet. */
  readonly pending: boolean;
  table(title: string, columns: readonly string[], rows: readonly TableRow[]): void;
}

const COLUMNS = ["check", "where", "found", "what it means"];

/**
 * Every check that an operator would make by hand, as one table; then rows written on each node and read on the others,
 * through each proxy and through the entry point.
 * @throws RefusedError where a check fails
 */
export async function verify(context: VerifyContext): Promise<void> {
  if (context.pending) {
    context.table("verification", COLUMNS, [
      { cells: ["all checks", "all hosts", "made once the changes above are made", ""], status: "skipped" },
    ]);
    return;
  }
  const findings = await collect(context);
  context.table("verification", COLUMNS, findings.map(toRow));
  const failed = findings.filter(({ ok }) => !ok);
  if (failed.length > 0) {
    throw new RefusedError(`${failed.length} of ${findings.length} checks failed`, {
      detail: failed
        .map(({ check, where, found, meaning }) => `${check} (${where}): found ${found}; ${meaning ?? ""}`)
        .join("\n"),
      hint: "what each means stands beside it; kb play galera.ts --check --diff shows what differs from what is declared",
    });
  }
  await proveRows(context);
}

async function collect({ nodes, proxies, balancers, credentials }: VerifyContext): Promise<readonly Finding[]> {
  const [seenNodes, seenProxies] = await Promise.all([
    nodes.probe(({ vars }) => nodeEvidence(vars.mariadb_runtime, credentials.rootPassword)),
    proxies.probe(proxyEvidence(credentials.adminPassword)),
  ]);
  const fleet = { nodes: nodes.declared, proxies: proxies.declared };
  const named = <T>({ host, value }: { host: Host<unknown>; value: T }) => ({ name: host.name, evidence: value });
  const fromProxies = proxies.probe((host) => openPorts(closedTo("proxysql", host.name, fleet)));
  const fromBalancers = balancers.probe((host) => openPorts(closedTo("loadbalancer", host.name, fleet)));
  const ports = [
    ...(await fromProxies).map((seen) => ({ kind: "proxysql" as const, ...seen })),
    ...(await fromBalancers).map((seen) => ({ kind: "loadbalancer" as const, ...seen })),
  ];
  return [
    ...nodeFindings(seenNodes.map(named), nodes.declared.length),
    ...proxyFindings(seenProxies.map(named), nodes.declared.length),
    ...ports.map(({ kind, host, value }) => portFinding(host.name, closedTo(kind, host.name, fleet).length, value)),
  ];
}

type Node = Host<z.output<typeof VerifiedNode>>;

/** A node proves itself by its own address: its accounts are for the network. */
function throughNode({ address, vars }: Node): { address: string; client: "host" | "container" } {
  return { address, client: vars.mariadb_runtime === "docker" ? "container" : "host" };
}

/** A new token a run, so that a row of an earlier run proves nothing. */
async function proveRows({ nodes, proxies, entryPoint, credentials }: VerifyContext): Promise<void> {
  const token = randomUUID();
  const password = credentials.verifyPassword;
  const rows = nodes.live.map(({ name }) => ({ node: name, token }));
  await nodes.ensure((host) => [
    rowProof({
      what: "a row written on this node",
      through: throughNode(host),
      password,
      write: { node: host.name, token },
    }),
  ]);
  await nodes.ensure((host) => [
    rowProof({
      what: "the rows of all nodes read here",
      through: throughNode(host),
      password,
      read: rows,
    }),
  ]);
  await proxies.ensure((host) => {
    const through = { address: host.address };
    const row = { node: `by ${host.name}`, token };
    const viaEntry = { node: `by the entry point from ${host.name}`, token };
    return [
      rowProof({ what: "a row written and read through this proxy", through, password, write: row, read: [row] }),
      ...(entryPoint === undefined
        ? []
        : [
            rowProof({
              what: `a row written and read through ${entryPoint}`,
              through: { address: entryPoint },
              password,
              write: viaEntry,
              read: [viaEntry],
            }),
          ]),
    ];
  });
  const lost = [...nodes.lost, ...proxies.lost];
  if (lost.length > 0) {
    throw new RefusedError("rows written in one place were not found in another", {
      detail: lost
        .map(
          ({ host, error }) => `${host.name}: ${error.message}${error.detail === undefined ? "" : `\n${error.detail}`}`,
        )
        .join("\n"),
    });
  }
}
