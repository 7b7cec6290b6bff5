import {
  ApplyError,
  type Change,
  diffStates,
  type KbError,
  type RunEvent,
  Secret,
  type State,
  type Task,
} from "@keybuzz/runner";
import { describe, expect, it } from "vitest";
import { actionsOf, attempt, goodValue } from "./attempts.ts";
import { CANARY_SECRET, disguisesOf, leaksIn } from "./disguises.ts";
import { ALL_MODULES, type AnyModule, casesOf } from "./modules.ts";
import { labelOf, type Site, sitesOf } from "./param-sites.ts";
import { REPORTERS, told } from "./reports.ts";

/** Every param that takes a secret, found in the schemas: a new one is here without anybody writing it down. */
const SITES = ALL_MODULES.flatMap((module) =>
  sitesOf(module.spec.params)
    .filter(({ secret, isKey }) => secret && !isKey)
    .map((site) => [`${module.spec.name}.${labelOf(site)}`, module, site] as const),
);

/** Also for places that take a hash, whose first character tells that it is one. */
function secretFor(module: AnyModule, site: Site): string {
  return goodValue(module, site).startsWith("$") ? `$6$${CANARY_SECRET}` : CANARY_SECRET;
}

function declared(module: AnyModule, site: Site): Task {
  const outcome = attempt(module, site, secretFor(module, site));
  if (outcome.kind !== "accepted") throw new Error(`${labelOf(site)} takes no secret: ${JSON.stringify(outcome)}`);
  return outcome.task;
}

/** A run in which a task comes to every end that there is, from one state of a host. */
function runOf(task: Task, state: State | null): readonly RunEvent[] {
  let changes: readonly Change[] = [];
  const errors: KbError[] = [];
  try {
    const { current, wanted } = task.assess(state);
    changes = diffStates(current, wanted);
  } catch (cause) {
    errors.push(
      new ApplyError(cause instanceof Error ? cause.message : String(cause), { host: "db1", task: task.name, cause }),
    );
  }
  const wanted = task.document?.wanted;
  const textDiff = typeof wanted === "string" ? wanted : "(not shown)\n";
  const base = { host: "db1", task: task.name, module: task.module, id: task.id, changes, textDiff, ms: 1 };
  const recap = {
    host: "db1",
    ok: 1,
    changed: 1,
    unknown: 1,
    skipped: 1,
    failed: 1,
    rescued: 0,
    ignored: 0,
    unreachable: false,
    roundTrips: 1,
  };
  return [
    { type: "run-start", version: 1, playbook: "canary", mode: "check", hosts: ["db1"] },
    { type: "task-start", host: "db1", task: task.name },
    ...(["ok", "changed", "unknown", "skipped", "failed"] as const).map(
      (outcome): RunEvent => ({ type: "task-end", result: { ...base, outcome, reason: JSON.stringify(changes) } }),
    ),
    ...errors.map((error): RunEvent => ({ type: "host-failed", host: "db1", error })),
    { type: "run-end", exitCode: 1, ms: 1, recap: [recap] },
  ];
}

describe("a secret", () => {
  it("is taken by params that schemas tell", () => {
    const names = SITES.map(([name]) => name);
    expect(names).toEqual(
      expect.arrayContaining(["file.content", "user.password", "command.stdin", "mysql_user.password"]),
    );
    expect(names.length).toBeGreaterThan(15);
  });

  it("would be found in any of its forms", () => {
    expect(disguisesOf(CANARY_SECRET).length).toBeGreaterThan(12);
    for (const form of disguisesOf(CANARY_SECRET)) expect(leaksIn(`x${form}y`)).toContain(form);
    expect(leaksIn(Buffer.from(`{"password":"${CANARY_SECRET}"}`).toString("base64"))).not.toEqual([]);
    expect(leaksIn("<secret>")).toEqual([]);
  });

  it.each(SITES)("of %s is in no script, argument, label or resource of its task", (_, module, site) => {
    const task = declared(module, site);
    const states = [null, ...casesOf(module, "plan").map(({ state = null }) => state)];
    const scripts = [
      ...task.probe.questions.map((question) =>
        question.kind === "script" ? question.script.text : question.batch.render([question.key]).script.text,
      ),
      ...states.flatMap((state) => actionsOf(task, state)).map((action) => JSON.stringify(action)),
      // Keys of questions that are asked together are their text.
      ...task.probe.questions.map((question) =>
        question.kind === "batch" ? `${question.batch.name} ${question.key}` : "",
      ),
      ...[task.id, task.name, ...task.touches, JSON.stringify(task)],
    ];
    expect(scripts.flatMap((text) => leaksIn(text))).toEqual([]);
  });

  it.each(SITES)("of %s is in no report, whatever comes of its task", (_, module, site) => {
    const task = declared(module, site);
    for (const state of [null, ...casesOf(module, "plan").map(({ state: one = null }) => one)]) {
      const events = runOf(task, state);
      for (const make of Object.values(REPORTERS)) expect(leaksIn(told(make, events))).toEqual([]);
      expect(leaksIn(JSON.stringify(events))).toEqual([]);
    }
    const wanted = task.document?.wanted;
    expect(
      wanted === undefined || wanted === null || wanted instanceof Secret || leaksIn(String(wanted)).length === 0,
    ).toBe(true);
  });
});
