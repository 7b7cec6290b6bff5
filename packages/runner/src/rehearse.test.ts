import { expect, it } from "vitest";
import * as z from "zod";
import { defineModule } from "./module.ts";
import { definePlaybook, type PlaybookSpec } from "./playbook.ts";
import { ask, known } from "./probe.ts";
import { rehearse } from "./rehearse.ts";
import { defineRole } from "./role.ts";
import { sh } from "./sh.ts";
import { localInventory } from "./testing/local-inventory.ts";

/** A module whose question would leave a trace if anybody asked it. */
const thing = defineModule({
  name: "thing",
  summary: "A thing",
  params: z.strictObject({ name: z.string().min(2).describe("Its name") }),
  id: ({ name }) => name,
  probe: () => ask(sh`touch /tmp/a-rehearsal-asked`, () => null),
  desired: ({ name }) => ({ name }),
  plan: () => {
    throw new Error("nothing is planned in a rehearsal");
  },
});

const host = z.object({});
const asks = ask(sh`true`, ({ stdout }) => stdout);

const curious = defineRole({
  name: "curious",
  summary: "Asks first",
  params: z.strictObject({}),
  host,
  async run({ hosts }) {
    await hosts.ensure([thing({ name: "before" })]);
    const [answer] = await hosts.probe(asks);
    await hosts.ensure([thing({ name: "after" })]);
    return { answer: answer?.value ?? "" };
  },
});

type Run = PlaybookSpec<{ all: typeof host }, Record<never, never>, z.ZodObject>["run"];

function rehearsed(run: Run) {
  const playbook = definePlaybook({ name: "trial", summary: "A trial", groups: { all: host }, run });
  return rehearse(playbook, { inventory: localInventory(["one", "two"]) });
}

it("takes the tasks of every host and the controller, and asks nobody", async () => {
  const { tasks, faults, unrehearsed } = await rehearsed(async ({ all }, play) => {
    await all.serial(1).ensure((one) => [thing({ name: `on-${one.name}` })]);
    await play.controller.ensure([thing({ name: "here" })]);
  });
  expect(tasks.map(({ host: name, task }) => `${name}: ${task.name}`)).toEqual([
    "one: thing on-one",
    "two: thing on-two",
    "controller: thing here",
  ]);
  expect([faults, unrehearsed]).toEqual([[], []]);
});

it("takes for granted that hosts are healthy", async () => {
  const { tasks, unrehearsed } = await rehearsed(async ({ all }) => {
    const asksOften = { max: 1, gate: ask(sh`true`, () => false), minHealthy: 1 };
    await all.serial(asksOften).each(async (batch) => {
      await batch.ensure((one) => [thing({ name: `on-${one.name}` })]);
    });
  });
  expect(tasks.map(({ task }) => task.id)).toEqual(["on-one", "on-two"]);
  expect(unrehearsed).toEqual([]);
});

it("leaves a role where it asks, says where that is, and goes on behind it", async () => {
  const { tasks, unrehearsed } = await rehearsed(async ({ all }) => {
    await curious(all, {});
    await all.ensure([thing({ name: "behind" })]);
  });
  expect(tasks.map(({ task }) => task.id)).toEqual(["before", "before", "behind", "behind"]);
  expect(unrehearsed).toMatchObject([{ role: "curious", error: { message: expect.stringContaining("asks hosts") } }]);
  expect(unrehearsed[0]?.error.stack).toContain(`${import.meta.filename}:34:`);
});

it("leaves the playbook where it needs a result that is not known", async () => {
  const { unrehearsed, faults } = await rehearsed(async ({ all }) => {
    const { answer } = await curious(all, {});
    await all.ensure([thing({ name: answer })]);
  });
  expect(unrehearsed.map(({ role }) => role)).toEqual(["curious", undefined]);
  expect(unrehearsed[1]?.error.message).toContain("the result of the role curious");
  expect(faults).toEqual([]);
});

it("does not pretend to know what a list of tasks changed", async () => {
  const { unrehearsed } = await rehearsed(async ({ all }) => {
    const { changed, failed } = await all.ensure([thing({ name: "first" })]);
    if (failed.length === 0 && changed.length > 0) await all.ensure([thing({ name: "then" })]);
  });
  expect(unrehearsed.map(({ error }) => error.message)).toEqual([
    "it needs `changed` of ensure, which depends on the hosts",
  ]);
});

it("collects what is wrong on every host, and what the playbook itself throws", async () => {
  const { tasks, faults } = await rehearsed(async ({ all }) => {
    await all.ensure((one) => [thing({ name: one.name === "one" ? "x" : "fine" })]);
    all.requireAll("nobody is lost in a rehearsal");
    throw new TypeError("a slip of the pen");
  });
  expect(tasks.map(({ host: name }) => name)).toEqual(["two"]);
  expect(faults).toMatchObject([
    { host: "one", error: { code: "params" } },
    { host: undefined, error: { code: "bug", message: "a slip of the pen" } },
  ]);
});

it("asks nobody in a bare probe either", async () => {
  const { unrehearsed } = await rehearsed(async ({ all }) => {
    await all.probe(known(1));
  });
  expect(unrehearsed).toHaveLength(1);
});
