import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as z from "zod";
import { UsageError } from "../errors.ts";
import { eventSchema } from "./event-schema.ts";
import { taskSelectionSchema } from "./run-record.ts";

/** Version of the shape of {@link SavedPlan}. A file of another one is not carried out. */
export const PLAN_VERSION = 1;

/** A file that is no plan that this kb could carry out. */
export class PlanFileError extends UsageError {
  readonly code = "plan";
}

/** Digests of a state's fields, by their names; null for what does not exist. */
const fieldDigests = z.record(z.string(), z.string()).nullable();

const plannedTask = z.object({
  host: z.string(),
  task: z.string(),
  module: z.string(),
  id: z.string(),
  where: z.string().optional(),
  /** What the check decided: nothing to do, to be changed, cannot be known, a gate that comes later, an error. */
  decision: z.enum(["ok", "act", "unknown", "skipped", "error"]),
  /** What the task declares, whatever the host is like. */
  declared: fieldDigests,
  /** The host as it was read, or as the changes before it will leave it; null too where that was not known. */
  current: fieldDigests,
  wanted: fieldDigests,
  /** Of the actions; null where there is nothing to do or nothing known. */
  actions: z.string().nullable(),
});

export type PlannedTask = z.output<typeof plannedTask>;
export type FieldDigests = z.output<typeof fieldDigests>;

export const savedPlanSchema = z.object({
  format: z.literal("keybuzz-plan"),
  version: z.literal(PLAN_VERSION),
  madeAt: z.iso.datetime(),
  kbVersion: z.string(),
  commit: z.string().nullable(),
  playbook: z.object({ name: z.string(), file: z.string() }),
  inventory: z.object({ file: z.string() }),
  limit: z.array(z.string()).nullable(),
  /** Values of `-e NAME=VALUE`, without those of `secretParams`. */
  params: z.record(z.string(), z.string()),
  secretParams: z.array(z.string()),
  /** What of the tasks it is about; null for all of them. */
  select: taskSelectionSchema.nullable(),
  /** Of this plan's digests. */
  key: z.string(),
  tasks: z.array(plannedTask),
  /** What the check run told, changes and diffs with it; secrets are masked. */
  events: z.array(eventSchema),
});

/** What `kb plan -o` writes and `kb apply` carries out. Secrets are in it as digests alone. */
export type SavedPlan = z.output<typeof savedPlanSchema>;

/** Writes a plan whole, for its owner alone (0600). @throws PlanFileError */
export function writePlan(path: string, plan: SavedPlan): void {
  const draft = `${path}.${process.pid}.new`;
  try {
    const file = openSync(draft, "wx", 0o600);
    try {
      writeFileSync(file, `${JSON.stringify(plan, null, 1)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (cause) {
    throw new PlanFileError(`cannot write the plan ${path}`, { detail: messageOf(cause), cause });
  }
}

/** Reads a plan. @throws PlanFileError */
export function readPlan(path: string): SavedPlan {
  try {
    return savedPlanSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    const refused = cause instanceof z.ZodError || cause instanceof SyntaxError;
    throw new PlanFileError(refused ? `${path} is no plan of this version of kb` : `cannot read the plan ${path}`, {
      detail:
        cause instanceof z.ZodError ? z.prettifyError(cause).split("\n").slice(0, 6).join("\n") : messageOf(cause),
      hint: "make one with: kb plan PLAYBOOK -o FILE",
      cause,
    });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
