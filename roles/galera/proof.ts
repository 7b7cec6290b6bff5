import type { Hosts, TableRow } from "@keybuzz/runner";
import type { Decision } from "./decide.ts";
import { type Condition, conditionOf, type Evidence } from "./evidence.ts";

const COLUMNS = ["member", "is", "cluster", "seqno", "last to leave", "view", "server", "so"] as const;

const GRAVE: readonly Condition[] = ["unknown", "foreign", "partitioned", "detached"];

/** Tells the operator what a decision was made from, a member a line. */
export function proofTable(hosts: Hosts<unknown>, members: readonly Evidence[], decision: Decision): void {
  hosts.table(`How the cluster starts: ${decision.why}`, COLUMNS, proofRows(members, decision));
}

/** The lines of {@link proofTable}. */
export function proofRows(members: readonly Evidence[], decision: Decision): readonly TableRow[] {
  return members.map((member) => {
    const condition = conditionOf(member);
    const evidence = member.kind === "seen" ? seenCells(member) : [shorten(member.reason), "", "", "", ""];
    return {
      cells: [member.host, condition, ...evidence, verdict(member.host, decision)],
      status: decision.kind === "refuse" || GRAVE.includes(condition) ? "warn" : "ok",
    };
  });
}

/** The whole reason is told with the error of that host. */
function shorten(reason: string): string {
  return reason.length > 40 ? `${reason.slice(0, 39)}…` : reason;
}

function seenCells({ saved, server, view, running, recorded }: Extract<Evidence, { kind: "seen" }>): readonly string[] {
  const uuid = server?.uuid ?? saved?.uuid;
  const past = recorded === undefined ? "" : `was in ${recorded.slice(0, 8)}`;
  const said = server === undefined ? (running ? "runs, does not answer" : "") : `${server.status}, ${server.state}`;
  return [
    uuid === undefined ? past : uuid.slice(0, 8),
    server === undefined ? `${saved?.seqno ?? ""}` : String(server.committed),
    saved === undefined ? "" : saved.safe ? "yes" : "no",
    view === undefined ? "" : `${view.members.length} members`,
    said,
  ];
}

function verdict(host: string, decision: Decision): string {
  switch (decision.kind) {
    case "refuse":
      return "not touched";
    case "bootstrap":
      return host === decision.host ? `starts first${decision.fresh ? ", a new cluster" : ""}` : "joins";
    case "together":
      return decision.hosts.includes(host) ? "starts with the others" : "joins";
    case "join":
      if (decision.live.includes(host)) return "stays";
      if (decision.start.includes(host)) return "joins";
      if (decision.restart.includes(host)) return "is restarted";
      return "is left as it is";
  }
}
