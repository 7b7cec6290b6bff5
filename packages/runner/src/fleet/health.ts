import { RefusedError } from "../errors.ts";
import { type HostGate, passGate, type Verdict } from "./gate.ts";
import { type Member, type RunScope, refuseInterrupted } from "./member.ts";

/** @internal What is held against a group's health, before or after one of its batches. */
export interface HealthCheck<V> {
  readonly when: "before" | "after";
  /** `batch 2 of 3 of blue`. */
  readonly place: string;
  readonly gateOf: ((member: Member<V>) => HostGate) | undefined;
  readonly floor: number | undefined;
  readonly members: readonly Member<V>[];
  readonly batch: readonly Member<V>[];
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** Hosts that are not worked on if this fails. */
  readonly left: readonly string[];
}

/**
 * @internal Waits until a group is healthy enough. Hosts of the batch that do not get well after it leave the run; that
 * is for the budgets.
 * @throws RefusedError where too few others are healthy
 */
export async function requireHealth<V>(scope: RunScope, check: HealthCheck<V>): Promise<void> {
  const { gateOf, floor, when, place, batch } = check;
  if (gateOf === undefined && floor === undefined) return;
  const own = (member: Member<V>): boolean => batch.includes(member);
  // With a floor, an ill host may be worked on, since that is how it gets well: it is the others that count.
  const asked = check.members.filter(
    (member) => member.session.error === undefined && !(when === "before" && floor !== undefined && own(member)),
  );
  const counted = (member: Member<V>): boolean => (floor === undefined && when === "before") || !own(member);
  const holds = (verdicts: readonly Verdict<V>[]): boolean => {
    const others = verdicts.filter(({ member }) => counted(member));
    const well = others.filter(({ state }) => state !== "ill").length;
    return floor === undefined ? well === others.length : well >= floor;
  };
  const label = `gate ${when} ${place}`;
  const verdicts =
    gateOf === undefined
      ? asked.map((member): Verdict<V> => ({ member, state: "well" }))
      : await passGate(scope, {
          gateOf,
          label,
          members: asked,
          timeoutMs: check.timeoutMs,
          intervalMs: check.intervalMs,
          isWorkedOn: (member) => when === "after" && own(member),
          suffices: (found) => holds(found) && found.every(({ member, state }) => state !== "ill" || !own(member)),
        });
  refuseInterrupted(scope);
  tellOpen(scope, label, verdicts);
  if (!holds(verdicts)) {
    throw unhealthy(
      label,
      check,
      verdicts.filter(({ member }) => counted(member)),
    );
  }
  spareIll(verdicts);
}

/** Check mode: a gate that is shut before anything is pending keeps a run waiting. */
function tellOpen<V>(scope: RunScope, label: string, verdicts: readonly Verdict<V>[]): void {
  for (const verdict of verdicts) {
    if (verdict.state !== "open" || verdict.pending) continue;
    const text = `${label}: ${verdict.why}; a run waits for it, and stops if it does not come`;
    scope.emit({ type: "note", level: "warn", text, host: verdict.member.host.name });
  }
}

/** The ill hosts that the floor puts up with. */
function spareIll<V>(verdicts: readonly Verdict<V>[]): void {
  for (const verdict of verdicts) {
    const { session } = verdict.member;
    if (verdict.state === "ill" && session.error === undefined) session.handle(verdict.error, "ignored");
  }
}

function unhealthy<V>(label: string, check: HealthCheck<V>, verdicts: readonly Verdict<V>[]): RefusedError {
  const { batch, floor, members, left } = check;
  const ill = verdicts.flatMap((verdict) => (verdict.state === "ill" ? [verdict] : []));
  const gone = members.filter(
    ({ session }) => session.error !== undefined && !batch.some((one) => one.session === session),
  );
  const lines = [
    ...ill.map(({ member, error }) => `${member.host.name}: ${error.message}`),
    ...gone
      .filter((member) => !ill.some((one) => one.member === member))
      .map(({ host, session }) => `${host.name} has left the run: ${session.error?.message ?? ""}`),
    ...(left.length === 0 ? [] : [`left as they are: ${left.join(", ")}`]),
  ];
  const well = verdicts.length - ill.length;
  const beside = batch.map(({ host }) => host.name).join(", ");
  const what =
    floor === undefined
      ? `${ill.map(({ member }) => member.host.name).join(", ")} not healthy`
      : `${well} healthy beside ${beside}, and ${floor} of ${members.length} have to be`;
  return new RefusedError(`stopped: ${label}: ${what}`, {
    detail: lines.join("\n"),
    hint: "mend what is named above, then run the same command again",
  });
}
