import * as z from "zod";
import { KbError } from "../errors.ts";
import type { HostRecap, RunEvent, TableRow, TaskResult } from "../events.ts";
import { Secret } from "../secret.ts";
import type { Change, Value } from "../state.ts";

const MASK = String(new Secret(""));

/** An error that was read back from a journal: it says all that the first one said, and knows no cause any more. */
export class RecordedError extends KbError {
  readonly code: string;
  readonly exitCode: number;

  constructor({ code, message, ...rest }: z.output<typeof error>) {
    super(message, rest);
    this.code = code;
    this.exitCode = 1;
  }
}

const error = z.object({
  code: z.string().describe("Kind of the error: connect, probe, apply, not-converged, timeout, locked, refused, ..."),
  message: z.string(),
  detail: z.string().optional().describe("What came back, as lines"),
  hint: z.string().optional().describe("What to try next"),
  host: z.string().optional(),
  task: z.string().optional(),
  where: z.string().optional().describe("file:line that declared the task"),
});

const kbError = error.transform((given): KbError => new RecordedError(given));

const value: z.ZodType<Value> = z.lazy(() =>
  z.union([
    z.null(),
    z.boolean(),
    z.number(),
    z.string().transform((text): Value => (text === MASK ? new Secret(MASK) : text)),
    z.array(value),
    z.record(z.string(), value),
  ]),
);

const change: z.ZodType<Change> = z
  .object({ path: z.string(), before: value.optional(), after: value.optional() })
  .transform(({ path, before, after }) => ({ path, before, after }));

const outcome = z.enum(["ok", "changed", "unknown", "skipped", "failed"]);
const handled = z.enum(["rescued", "ignored", "delegated"]);

const result: z.ZodType<TaskResult> = z.object({
  host: z.string(),
  task: z.string().describe("The task's name: `module id` unless it was given another"),
  module: z.string(),
  id: z.string(),
  outcome,
  changes: z.array(change).readonly().describe("Fields that were, or would be, changed; secrets are masked"),
  textDiff: z.string().exactOptional().describe("Unified diff of the text behind the state"),
  reason: z.string().exactOptional().describe("Why it is unknown, skipped or failed"),
  handled: handled.exactOptional().describe("Of a failure that does not take its host out of the run"),
  where: z.string().exactOptional().describe("file:line that declared the task"),
  ms: z.number().describe("Milliseconds spent on the host; 0 where it was answered in a batch"),
});

const recap: z.ZodType<HostRecap> = z.object({
  host: z.string(),
  ok: z.int(),
  changed: z.int(),
  unknown: z.int(),
  skipped: z.int(),
  failed: z.int(),
  rescued: z.int(),
  ignored: z.int(),
  unreachable: z.boolean(),
  roundTrips: z.int(),
});

const row: z.ZodType<TableRow> = z.object({
  cells: z.array(z.string()).readonly(),
  status: z.enum(["ok", "warn", "failed", "skipped"]),
});

const mode = z.enum(["check", "apply"]);
const hosts = z.array(z.string()).readonly();

/**
 * A run's event as JSON has it, in `--output ndjson` and in journals; what it gives is the event again. Fields that it
 * does not know are passed over: they may come without a new version.
 */
export const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run-start"), version: z.int(), playbook: z.string(), mode, hosts }),
  z.object({ type: z.literal("host-connected"), host: z.string(), ms: z.number() }),
  z.object({ type: z.literal("host-unreachable"), host: z.string(), error: kbError }),
  z.object({ type: z.literal("phase"), name: z.string(), hosts }),
  z.object({ type: z.literal("batch"), group: z.string(), number: z.int(), of: z.int(), hosts }),
  z.object({ type: z.literal("task-start"), host: z.string(), task: z.string() }),
  z.object({ type: z.literal("output"), host: z.string(), task: z.string(), text: z.string() }),
  z.object({ type: z.literal("task-end"), result }),
  z.object({ type: z.literal("host-failed"), host: z.string(), error: kbError }),
  z.object({ type: z.literal("failure-handled"), host: z.string(), handled, error: kbError }),
  z.object({ type: z.literal("run-failed"), error: kbError }),
  z.object({
    type: z.literal("note"),
    level: z.enum(["info", "warn"]),
    text: z.string(),
    host: z.string().exactOptional(),
  }),
  z.object({
    type: z.literal("table"),
    title: z.string(),
    columns: z.array(z.string()).readonly(),
    rows: z.array(row).readonly(),
  }),
  z.object({ type: z.literal("run-end"), exitCode: z.int(), ms: z.number(), recap: z.array(recap).readonly() }),
]);

/** The event that a line of JSON holds; undefined where it holds none: a torn line, or a kind that came later. */
export function parseEvent(line: string): RunEvent | undefined {
  try {
    const parsed = eventSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
