import { BugError } from "../errors.ts";
import { type HealthFloor, type HostCount, requireCount } from "./batches.ts";
import type { Gate, Gates, HostGate } from "./gate.ts";
import type { Host, Member } from "./member.ts";

/** What hosts are grouped by: a var that their schema declares, or a function. */
export type GroupBy<V> = Extract<keyof V, string> | ((host: Host<V>) => string);

/** How a rolling run goes through its hosts. */
export interface SerialRules<V> {
  /** Hosts of a group at once; 1 unless given. Of a list, each batch takes the next size, the last for all that follow. */
  readonly max?: HostCount | readonly HostCount[];
  /** What hosts are grouped by; batches never mix groups, and the groups roll side by side. One group unless given. */
  readonly by?: GroupBy<V>;
  /** The order within a group: the inventory's unless given. */
  readonly order?: (left: Host<V>, right: Host<V>) => number;
  /** The hosts to work on, where not all need it; the others still count as members of their groups. */
  readonly only?: (host: Host<V>) => boolean;
  /**
   * What makes a host healthy. Asked before and after each batch, of all hosts of its group, `--limit` or not: it has to
   * hold on each that has not left the run, or, with {@link minHealthy}, on so many beside the batch.
   */
  readonly gate?: Gate<V> | Gates<V>;
  /** Longest time in milliseconds that a gate's question is asked again; 60 000 unless given. */
  readonly gateTimeoutMs?: number;
  /** Pause between two such questions in milliseconds; 500 unless given. */
  readonly gateIntervalMs?: number;
  /** Hosts of a group that have to be healthy beside every batch, of all that the group has. No floor unless given. */
  readonly minHealthy?: HealthFloor;
  /**
   * Failed hosts that are put up with, in each batch and in the whole run: with more, the group stops, or the run. None
   * unless given; of the two, one that is left out has no limit of its own.
   */
  readonly failures?: { readonly batch?: HostCount; readonly run?: HostCount };
  /** Whether the first failure keeps all groups from their next batch, whatever the budgets. */
  readonly anyErrorsFatal?: boolean;
}

/** @internal @throws ParamsError, BugError */
export function checkRules<V>({ max = 1, minHealthy, failures }: SerialRules<V>): void {
  const sizes = typeof max === "object" ? max : [max];
  if (sizes.length === 0) throw new BugError("serial takes a size, or a list of sizes that is not empty");
  for (const size of sizes) requireCount("serial: max", size, 1);
  if (minHealthy !== undefined && minHealthy !== "quorum") requireCount("serial: minHealthy", minHealthy, 0);
  if (failures?.batch !== undefined) requireCount("serial: failures.batch", failures.batch, 0);
  if (failures?.run !== undefined) requireCount("serial: failures.run", failures.run, 0);
}

/** @internal A host with what the rules say about it. */
export interface Candidate<V> {
  readonly member: Member<V>;
  /** Empty where nothing groups them. */
  readonly group: string;
  /** Whether it is to be worked on. */
  readonly meant: boolean;
  readonly gates: { readonly before?: () => HostGate; readonly after?: () => HostGate };
}

/** @internal What the rules say about each host, in the order that they ask for. */
export function candidatesOf<V>(members: readonly Member<V>[], rules: SerialRules<V>): readonly Candidate<V>[] {
  const { by, only, order } = rules;
  const gates = gatesOf(rules.gate);
  const ordered = order === undefined ? members : members.toSorted((left, right) => order(left.host, right.host));
  return ordered.map((member) => ({
    member,
    group: groupOf(member.host, by),
    meant: only?.(member.host) ?? true,
    gates: {
      ...(gates.before === undefined ? {} : { before: madeFor(gates.before, member.host) }),
      ...(gates.after === undefined ? {} : { after: madeFor(gates.after, member.host) }),
    },
  }));
}

/** @internal The group of a host; empty where nothing groups them, or the host has no such var. */
export function groupOf<V>(host: Host<V>, by: GroupBy<V> | undefined): string {
  if (by === undefined) return "";
  return typeof by === "function" ? by(host) : String(host.vars[by] ?? "");
}

function madeFor<V>(gate: Gate<V>, host: Host<V>): () => HostGate {
  return typeof gate === "function" ? () => gate(host) : () => gate;
}

/** One gate serves before and after. */
function gatesOf<V>(gate: Gate<V> | Gates<V> | undefined): Gates<V> {
  if (gate === undefined) return {};
  const single = typeof gate === "function" || Array.isArray(gate) || "parse" in gate;
  // Erasure point: Array.isArray does not narrow readonly arrays.
  return single ? { before: gate as Gate<V>, after: gate as Gate<V> } : (gate as Gates<V>);
}
