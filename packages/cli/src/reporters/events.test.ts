import { readFileSync } from "node:fs";
import { ApplyError, RefusedError, type RunEvent } from "@keybuzz/runner";
import { eventSchema } from "@keybuzz/runner/durable";
import { expect, expectTypeOf, test } from "vitest";
import type * as z from "zod";
import { eventfulRun } from "../testing/events.ts";
import { renderEvent } from "./ndjson.ts";

const EVENTS = readFileSync(new URL("../../../../docs/events.md", import.meta.url), "utf8");

/** The kinds of events, from the schema: one that it lacks does not compile. */
const KINDS = eventSchema.options.map((option) => [...option.shape.type.values][0] ?? "");

/** What a run that goes well enough lacks. */
const FURTHER: readonly RunEvent[] = [
  { type: "batch", group: "", number: 1, of: 2, hosts: ["db1"] },
  { type: "failure-handled", host: "db1", handled: "rescued", error: new ApplyError("no", { host: "db1" }) },
  { type: "run-failed", error: new RefusedError("a quorum is missing", { detail: "db1: gone", hint: "mend it" }) },
];

test("the schema has every kind of event", () => {
  expectTypeOf<z.output<typeof eventSchema>["type"]>().toEqualTypeOf<RunEvent["type"]>();
});

test.each(["check", "apply"] as const)("an event of a %s run loses nothing to the schema", (mode) => {
  for (const event of [...eventfulRun(mode), ...FURTHER]) {
    const written: unknown = JSON.parse(renderEvent(event));
    expect(JSON.parse(JSON.stringify(eventSchema.parse(written)))).toEqual(written);
  }
});

test("these events are of every kind", () => {
  const seen = new Set<string>([...eventfulRun("check"), ...FURTHER].map(({ type }) => type));
  expect(KINDS.filter((kind) => !seen.has(kind))).toEqual([]);
});

test.each([
  ["no kind", {}],
  ["an unknown kind", { type: "gossip" }],
  ["a result without an outcome", { type: "task-end", result: { host: "a", task: "b", module: "c", id: "d" } }],
  ["an error that is text", { type: "run-failed", error: "no" }],
  ["a mode that there is not", { type: "run-start", version: 1, playbook: "a", mode: "dry", hosts: [] }],
])("the schema refuses %s", (_what, event) => {
  expect(eventSchema.safeParse(event).success).toBe(false);
});

test.each(KINDS)("docs/events.md describes %s", (kind) => {
  expect(EVENTS).toContain(`| \`${kind}\` |`);
});
