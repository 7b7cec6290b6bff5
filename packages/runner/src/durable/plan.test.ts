import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { exec } from "../action.ts";
import type { RunEvent } from "../events.ts";
import { defineModule, type Task } from "../module.ts";
import type { Overseer } from "../overseer.ts";
import { definePlaybook } from "../playbook.ts";
import { ask, unmet } from "../probe.ts";
import { play } from "../run.ts";
import { Secret } from "../secret.ts";
import { sh } from "../sh.ts";
import { localInventory } from "../testing/local-inventory.ts";
import { makeConnect } from "../transport/connect.ts";
import { comparePlans } from "./compare-plans.ts";
import { makeDigest, newDigestKey } from "./digest.ts";
import { PlanGuard } from "./plan-guard.ts";
import { type FoundTask, PlanRecorder } from "./plan-recorder.ts";
import { readPlan, type SavedPlan, writePlan } from "./saved-plan.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-plan-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** A file with one text. */
const note = defineModule({
  name: "note",
  summary: "A file that holds one text",
  params: z.strictObject({
    path: z.string().describe("path"),
    text: z.union([z.string(), z.instanceof(Secret)]).describe("content"),
  }),
  id: ({ path }) => path,
  probe: ({ path }) =>
    ask(sh`if [ -e ${path} ]; then cat ${path}; else exit 3; fi`, ({ stdout, exitCode }) =>
      exitCode === 3 ? null : { text: new Secret(stdout) },
    ),
  desired: ({ text }) => ({ text: text instanceof Secret ? text : new Secret(text) }),
  plan: ({ params: { path, text } }) => [exec(sh`cat >${path}`, { stdin: text })],
  touches: ({ path }) => [`file:${path}`],
});

/** What a file holds, counted once it is there: before, it cannot be known. */
const count = defineModule({
  name: "count",
  summary: "A file that holds the length of another",
  params: z.strictObject({ of: z.string().describe("source"), to: z.string().describe("target") }),
  id: ({ to }) => to,
  probe: ({ of, to }) =>
    ask(sh`[ -e ${of} ] || exit 3; wc -c <${of}; cat ${to} 2>/dev/null; :`, ({ stdout, exitCode }) => {
      const [length = "", found = ""] = stdout.split("\n");
      return exitCode === 3 ? unmet(`${of} does not exist`) : { right: length.trim() === found.trim() };
    }),
  desired: () => ({ right: true }),
  plan: ({ params: { of, to } }) => [exec(sh`wc -c <${of} >${to}`)],
  foresee: ({ of }, current, touched) => (touched.has(`file:${of}`) ? unmet(`${of} is to be written first`) : current),
});

async function run(mode: "check" | "apply", lists: () => readonly (readonly Task[])[], overseer: Overseer) {
  const events: RunEvent[] = [];
  const playbook = definePlaybook({
    name: "test",
    summary: "test",
    groups: { all: z.object({}) },
    async run({ all }) {
      for (const list of lists()) await all.ensure(list);
    },
  });
  const inventory = localInventory(["here"]);
  const emit = (event: RunEvent) => void events.push(event);
  const report = await play(playbook, { inventory, mode, connect: makeConnect(), lockFolder: folder, emit, overseer });
  const errors = events.flatMap((event) => (event.type === "host-failed" ? [event.error.message] : []));
  const changed = events.flatMap((event) =>
    event.type === "task-end" && event.result.outcome === "changed" ? [event.result.id.replace(`${folder}/`, "")] : [],
  );
  return { ...report, errors, changed };
}

const key = newDigestKey();
const digest = makeDigest(key);

async function check(lists: () => readonly (readonly Task[])[]): Promise<readonly FoundTask[]> {
  const recorder = new PlanRecorder(digest);
  await run("check", lists, recorder);
  return recorder.tasks;
}

const texts = (planned: readonly FoundTask[], found: readonly FoundTask[], begun = false) =>
  comparePlans(planned, found, { begun }).map(({ task, text }) => `${task.replace(`${folder}/`, "")}: ${text}`);

describe("a plan and what is found later", () => {
  const lists = (text = "a") => [[note({ path: at("one"), text }), note({ path: at("two"), text: "b" })]];

  it("agree where nothing has changed", async () => {
    writeFileSync(at("two"), "b");
    expect(texts(await check(() => lists()), await check(() => lists()))).toEqual([]);
  });

  it("differ by what is on the host, with the field and without the secret", async () => {
    writeFileSync(at("one"), "canary-old");
    const planned = await check(() => lists());
    writeFileSync(at("one"), "canary-new");
    expect(texts(planned, await check(() => lists()))).toEqual([
      'note one: the host is not as it was when the plan was made (it was to be changed): text is now "<secret>"',
    ]);
    rmSync(at("one"));
    expect(texts(planned, await check(() => lists()))[0]).toContain("it does not exist now");
  });

  it("differ by a task that needs nothing any more, or now needs something", async () => {
    writeFileSync(at("one"), "a");
    const planned = await check(() => lists());
    writeFileSync(at("one"), "x");
    writeFileSync(at("two"), "b");
    expect(texts(planned, await check(() => lists())).map((text) => text.slice(0, 8))).toEqual([
      "note one",
      "note two",
    ]);
  });

  it("differ by what the playbook declares, by a task more and by one less", async () => {
    const planned = await check(() => lists());
    expect(texts(planned, await check(() => lists("other")))).toEqual([
      "note one: it declares something else now (text)",
    ]);
    const more = () => [...lists(), [note({ path: at("three"), text: "c" })]];
    expect(texts(planned, await check(more))).toEqual(["note three: it is a new task, which the plan does not have"]);
    expect(texts(await check(more), planned)).toEqual(["note three: it is no task any more"]);
  });

  it("agree where a run had begun with it, whatever that run has done, but not on what is declared", async () => {
    const planned = await check(() => lists());
    writeFileSync(at("one"), "a");
    expect(texts(planned, await check(() => lists()))).toHaveLength(1);
    expect(texts(planned, await check(() => lists()), true)).toEqual([]);
    expect(texts(planned, await check(() => lists("z")), true)).toHaveLength(1);
  });
});

describe("a run that is held to a plan", () => {
  const guard = (planned: readonly FoundTask[], begun = false) => new PlanGuard(planned, digest, begun);
  const lists = () => [
    [note({ path: at("one"), text: "a" }), count({ of: at("one"), to: at("sum") })],
    [note({ path: at("two"), text: "b" })],
  ];

  it("does what the plan has, and what was unknown and follows from it", async () => {
    const planned = await check(lists);
    expect(planned.map(({ decision }) => decision)).toEqual(["act", "unknown", "act"]);
    const ran = await run("apply", lists, guard(planned));
    expect([ran.exitCode, ran.changed]).toEqual([0, ["one", "sum", "two"]]);
  });

  it("does nothing on a host that has moved since it was looked at", async () => {
    writeFileSync(at("one"), "before");
    const planned = await check(lists);
    writeFileSync(at("one"), "meanwhile");
    const ran = await run("apply", lists, guard(planned));
    expect(ran.errors).toEqual(["not as planned: the host is not as it was when the plan was made"]);
    expect(readFileSync(at("one"), "utf8")).toBe("meanwhile");
    expect(existsSync(at("two"))).toBe(false);
  });

  it("refuses what the plan had nothing to do about, and what it does not have", async () => {
    writeFileSync(at("two"), "b");
    const planned = await check(lists);
    writeFileSync(at("two"), "x");
    expect((await run("apply", lists, guard(planned))).errors).toEqual([
      "not as planned: the plan has nothing to do here, and the host is not as it was",
    ]);
    const more = () => [[note({ path: at("three"), text: "c" })]];
    expect((await run("apply", more, guard(planned))).errors).toEqual([
      "not as planned: the plan does not have this task",
    ]);
    expect(existsSync(at("three"))).toBe(false);
  });

  it("refuses a task that declares something else, before anything of its list is touched", async () => {
    const planned = await check(() => [[note({ path: at("one"), text: "a" }), note({ path: at("two"), text: "b" })]]);
    const other = () => [[note({ path: at("one"), text: "a" }), note({ path: at("two"), text: "c" })]];
    expect((await run("apply", other, guard(planned))).errors).toEqual([
      "not as planned: it declares something else than the plan (text)",
    ]);
    expect(existsSync(at("one"))).toBe(false);
  });

  it("goes on with a plan that a run had begun", async () => {
    const planned = await check(lists);
    writeFileSync(at("one"), "a");
    expect((await run("apply", lists, guard(planned, true))).changed).toEqual(["sum", "two"]);
  });

  it("knows the same task twice apart", async () => {
    const twice = () => [[note({ path: at("one"), text: "a" })], [note({ path: at("one"), text: "b" })]];
    const planned = await check(twice);
    const ran = await run("apply", twice, guard(planned));
    expect([ran.exitCode, ran.changed]).toEqual([0, ["one", "one"]]);
  });
});

it("a plan on file is its owner's alone, and one of another version is refused", async () => {
  const tasks = (await check(() => [[note({ path: at("one"), text: "canary-55" })]])).map(({ state, ...task }) => task);
  const plan: SavedPlan = {
    format: "keybuzz-plan",
    version: 1,
    madeAt: new Date().toISOString(),
    kbVersion: "0",
    commit: null,
    playbook: { name: "a", file: "a.ts" },
    inventory: { file: "b.yml" },
    limit: null,
    params: {},
    secretParams: [],
    select: { only: ["config"] },
    key,
    tasks,
    events: [],
  };
  writePlan(at("plan.json"), plan);
  expect(statSync(at("plan.json")).mode & 0o777).toBe(0o600);
  expect(readFileSync(at("plan.json"), "utf8")).not.toContain("canary-55");
  expect(readPlan(at("plan.json"))).toEqual(plan);
  writeFileSync(at("plan.json"), JSON.stringify({ ...plan, version: 2 }));
  expect(() => readPlan(at("plan.json"))).toThrow(/is no plan of this version of kb$/);
  writeFileSync(at("plan.json"), "{");
  expect(() => readPlan(at("plan.json"))).toThrow(/is no plan/);
  expect(() => readPlan(at("nowhere"))).toThrow(/cannot read the plan/);
});
