import type { Hosts, TableRow } from "@keybuzz/runner";
import type { Decision } from "./decide.ts";
import { type Condition, conditionOf, type Evidence, type SeenMember } from "./evidence.ts";

const COLUMNS = ["member", "is", "cluster", "seqno", "last to leave", "view", "server", "so"] as const;

const GRAVE: readonly Condition[] = ["unknown", "foreign", "partitioned", "detached"];

/** What is said of each member at the end of its line. */
type Verdict = (host: string) => string;

/** Tells the operator what a decision was made from, a member a line. */
export function proofTable(
  hosts: Hosts<unknown>,
  title: string,
  members: readonly Evidence[],
  decision: Decision | Verdict,
): void {
  const verdict = typeof decision === "function" ? decision : (host: string): string => verdictOf(host, decision);
  const grave = typeof decision !== "function" && decision.kind === "refuse";
  hosts.table(title, COLUMNS, proofRows(members, verdict, grave));
}

function proofRows(members: readonly Evidence[], verdict: Verdict, grave: boolean): readonly TableRow[] {
  return members.map((member) => {
    const condition = conditionOf(member);
    const evidence = member.kind === "seen" ? seenCells(member) : [shorten(member.reason), "", "", "", ""];
    return {
      cells: [member.host, condition, ...evidence, verdict(member.host)],
      status: grave || GRAVE.includes(condition) ? "warn" : "ok",
    };
  });
}

/** The whole reason is told with the error of that host. */
function shorten(reason: string): string {
  return reason.length > 40 ? `${reason.slice(0, 39)}…` : reason;
}

function seenCells({
  saved,
  server,
  view,
  running,
  recorded,
  position,
}: Extract<Evidence, { kind: "seen" }>): readonly string[] {
  const known = position === "none" ? undefined : position;
  const uuid = server?.uuid ?? saved?.uuid ?? known?.uuid;
  const past = recorded === undefined ? "" : `was in ${recorded.slice(0, 8)}`;
  const said = server === undefined ? (running ? "runs, does not answer" : "") : `${server.status}, ${server.state}`;
  return [
    uuid === undefined ? past : uuid.slice(0, 8),
    server === undefined ? seqnoOf(saved, position) : String(server.committed),
    saved === undefined ? "" : saved.safe ? "yes" : "no",
    view === undefined ? "" : `${view.members.length} members`,
    said,
  ];
}

function seqnoOf(saved: SeenMember["saved"], position: SeenMember["position"]): string {
  if (saved !== undefined && saved.seqno >= 0) return String(saved.seqno);
  if (position === undefined) return saved === undefined ? "" : "to be measured";
  return position === "none" ? "cannot be read" : `${position.seqno}, measured`;
}

/** What becomes of a member. */
export function verdictOf(host: string, decision: Decision): string {
  switch (decision.kind) {
    case "refuse":
      return "not touched";
    case "bootstrap":
      return host === decision.host ? `starts first${decision.fresh ? ", a new cluster" : ""}` : "joins";
    case "promote":
      return host === decision.host ? "is made primary" : "joins";
    case "together":
      return decision.hosts.includes(host) ? "starts with the others" : "joins";
    case "join":
      if (decision.live.includes(host)) return "stays";
      if (decision.start.includes(host)) return "joins";
      if (decision.restart.includes(host)) return "is restarted";
      return "is left as it is";
  }
}
