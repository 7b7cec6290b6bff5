import type { State, Value } from "../state.ts";
import type { FoundTask } from "./plan-recorder.ts";
import type { FieldDigests, PlannedTask } from "./saved-plan.ts";
import { differingNames } from "./sources.ts";

/** Why a plan does not fit any more: one task of one host. */
export interface PlanDifference {
  readonly host: string;
  readonly task: string;
  readonly where: string | undefined;
  /** What differs, without any secret. */
  readonly text: string;
}

/** How much of a plan has to fit. */
export interface CompareOptions {
  /**
   * Whether a part of the plan was carried out before: what it changes may have been changed, and what follows from
   * that may read otherwise. What tasks declare has to be the same all the same.
   */
  readonly begun: boolean;
}

const MAX_VALUE = 60;

/** Where a plan and what a check finds now differ; empty where the plan can be carried out as it is. */
export function comparePlans(
  planned: readonly PlannedTask[],
  found: readonly FoundTask[],
  options: CompareOptions,
): readonly PlanDifference[] {
  const now = byOccurrence(found);
  const then = byOccurrence(planned);
  const gone = [...then].filter(([key]) => !now.has(key)).map(([, task]) => of(task, "it is no task any more"));
  const differing = [...now].flatMap(([key, task]): readonly PlanDifference[] => {
    const before = then.get(key);
    if (before === undefined) return [of(task, "it is a new task, which the plan does not have")];
    const text = compareTask(before, task, options);
    return text === undefined ? [] : [of(task, text)];
  });
  return [...differing, ...gone];
}

function of({ host, task, where }: PlannedTask, text: string): PlanDifference {
  return { host, task, where, text };
}

/** The same task may stand several times in a playbook: the first of one list is the first of the other. */
function byOccurrence<T extends PlannedTask>(tasks: readonly T[]): ReadonlyMap<string, T> {
  const counts = new Map<string, number>();
  return new Map(
    tasks.map((task) => {
      const name = taskKey(task);
      const count = counts.get(name) ?? 0;
      counts.set(name, count + 1);
      return [`${name}\0${count}`, task] as const;
    }),
  );
}

/** Which task of which host, in one text. */
export function taskKey(task: Pick<PlannedTask, "host" | "module" | "id" | "task">): string {
  return [task.host, task.module, task.id, task.task].join("\0");
}

function compareTask(planned: PlannedTask, found: FoundTask, { begun }: CompareOptions): string | undefined {
  const declared = differingFields(planned.declared, found.declared);
  if (declared !== undefined) return `it declares something else now (${declared})`;
  if (planned.decision === "skipped" || found.decision === "skipped") return undefined;
  if (begun && (planned.decision === "act" || planned.decision === "unknown")) return undefined;
  if (planned.decision !== found.decision || !sameFields(planned.current, found.current)) {
    return describeState(planned, found);
  }
  const wanted = differingFields(planned.wanted, found.wanted);
  if (wanted !== undefined) return `what it wants is something else now (${wanted})`;
  return planned.actions === found.actions ? undefined : "what it would do is something else now";
}

const DECISIONS: Readonly<Record<PlannedTask["decision"], string>> = {
  ok: "nothing was to be done",
  act: "it was to be changed",
  unknown: "it could not be known",
  skipped: "it was a gate for later",
  error: "it failed",
};

/** What is otherwise on the host, from what is there now: of what was there, a plan has digests alone. */
function describeState(planned: PlannedTask, { current, state, decision }: FoundTask): string {
  const then = DECISIONS[planned.decision];
  if (decision === "error") return `${then} when the plan was made; now it fails`;
  if (decision === "unknown") return `${then} when the plan was made; now it cannot be known`;
  if (planned.decision === "unknown") return "it could not be known when the plan was made; now it can";
  if (current === null) return `it does not exist now; when the plan was made it did (${then})`;
  if (planned.current === null) return `it exists now; when the plan was made it did not (${then})`;
  const fields = differingNames(planned.current, current).map((name) => `${name} ${showField(state, name)}`);
  return `the host is not as it was when the plan was made (${then}): ${fields.join(", ") || "decided otherwise"}`;
}

function showField(state: State | null, name: string): string {
  const value: Value | undefined = state?.[name];
  if (value === undefined) return "is gone";
  const text = JSON.stringify(value);
  return `is now ${text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text}`;
}

export function sameFields(a: FieldDigests, b: FieldDigests): boolean {
  return differingFields(a, b) === undefined;
}

/** Names of the fields that differ; undefined where none does. */
export function differingFields(a: FieldDigests, b: FieldDigests): string | undefined {
  if (a === null || b === null) return a === b ? undefined : "whether it is to exist";
  return differingNames(a, b).join(", ") || undefined;
}
