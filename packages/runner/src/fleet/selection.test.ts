import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { definePlaybook } from "../playbook.ts";
import { ask } from "../probe.ts";
import { defineRole } from "../role.ts";
import { sh } from "../sh.ts";
import { localInventory } from "../testing/local-inventory.ts";
import { type Fleet, made, type PlayedFleet, playFleet } from "../testing/playing.ts";
import { makeConnect } from "../transport/connect.ts";
import { listTasks } from "./listing.ts";
import type { TaskSelection } from "./selection.ts";
import { tagged } from "./tags.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-selection-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const names = (...list: string[]) => list.map((name) => made({ name }));
const database = defineRole({
  name: "database",
  summary: "a role with tags",
  tags: ["db"],
  params: z.strictObject({}),
  host: z.object({}),
  async run({ hosts }) {
    await hosts.ensure([...names("users"), ...tagged(["never", "drop"], names("dropped"))]);
  },
});

type Procedure = Parameters<typeof playFleet>[2];
const all: Procedure = async (fleet, { phase }) => {
  await fleet.ensure([
    ...names("plain"),
    ...tagged(["config"], names("written")),
    ...tagged(["always"], names("facts")),
  ]);
  await database(fleet, {});
  await phase("proxies", ["proxy"], async () => {
    await fleet.probe(ask(sh`: asked`, ({ exitCode }) => exitCode));
    await fleet.with({ tags: ["rules"] }).ensure(names("routed"));
  });
};

async function made1(select: TaskSelection, procedure: Procedure = all, hosts = ["a-1"]): Promise<PlayedFleet> {
  return playFleet(folder, hosts, procedure, { select });
}
const ids = (played: PlayedFleet): string => played.results.map(({ id }) => id).join(" ");

describe("tags", () => {
  it.each<[string, TaskSelection, string]>([
    ["none", {}, "plain written facts users routed"],
    ["a task's own", { only: ["config"] }, "written facts"],
    ["a role's", { only: ["db"] }, "facts users dropped"],
    ["one that is never taken unless named", { only: ["drop"] }, "facts dropped"],
    ["a phase's", { only: ["proxy"] }, "facts routed"],
    ["an ensure's", { only: ["rules"] }, "facts routed"],
    ["skipped", { skip: ["db", "proxy"] }, "plain written facts"],
  ])("choose tasks: %s", async (_what, select, expected) => {
    const played = await made1(select);
    expect(played.exitCode).toBe(0);
    expect(ids(played)).toBe(expected);
  });

  it("leave out a skipped phase as a whole, and connect to nobody where nothing is left", async () => {
    const played = await made1({ only: ["rules"], skip: ["always"] }, async (fleet, { phase }) => {
      await phase("proxies", ["proxy"], async () => {
        await fleet.ensure(names("routed"));
      });
    });
    expect(played.events.filter(({ type }) => type === "host-connected")).toEqual([]);
    let entered = false;
    await made1({ skip: ["proxy"] }, async (_fleet, { phase }) => {
      await phase("proxies", ["proxy"], async () => {
        entered = true;
      });
    });
    expect(entered).toBe(false);
  });

  it("that nothing has are told, with the nearest", async () => {
    const played = await made1({ only: ["confg", "tagged"], skip: ["prox"] });
    const told = played.events.flatMap((event) => (event.type === "note" ? [event.text] : []));
    expect(told).toEqual([
      'no task is tagged "confg": did you mean config?',
      'no task is tagged "prox": did you mean proxy?',
    ]);
  });

  it("of a phase are not those of what goes on beside it", async () => {
    const played = await made1({ only: ["one"] }, async (fleet, { phase }) => {
      await Promise.all([
        phase("one", ["one"], () => fleet.ensure(names("first"))),
        phase("two", ["two"], () => fleet.ensure(names("second"))),
      ]);
    });
    expect(ids(played)).toBe("first");
  });
});

describe("the task to begin at", () => {
  const two: Procedure = async (fleet) => {
    await fleet.ensure(names("a", "b"));
    await fleet.ensure((host) => names("c", ...(host.name === "a-1" ? ["d"] : []), "e"));
    await fleet.ensure(names("f", "d"));
  };

  it("is the first of that name; hosts whose list lacks it pass that list over", async () => {
    const played = await made1({ startAt: "made d" }, two, ["a-1", "b-1"]);
    const of = (host: string): string => played.results.flatMap((one) => (one.host === host ? [one.id] : [])).join(" ");
    expect(of("a-1")).toBe("d e f d");
    expect(of("b-1")).toBe("f d");
  });

  it("may be a pattern", async () => {
    expect(ids(await made1({ startAt: "*de c*" }, two))).toBe("c d e f d");
  });

  it("has to be there", async () => {
    const played = await made1({ startAt: "made x" }, two);
    expect(played.exitCode).toBe(2);
    expect(played.error?.message).toBe('no task is named "made x", so nothing was done');
    expect(played.error?.hint).toMatch(/did you mean made [a-f]\?/);
    expect(readdirSync(folder).filter((host) => existsSync(join(folder, host, "a")))).toEqual([]);
  });
});

describe("step by step", () => {
  const two: Procedure = async (fleet: Fleet) => {
    await fleet.ensure(names("a", "b", "c", "d"));
  };

  it("asks before each task, and goes on alone where told to", async () => {
    const asked: string[] = [];
    const answers = ["yes", "no", "continue"] as const;
    const played = await playFleet(folder, ["a-1", "a-2"], two, {
      confirm: async ({ task, hosts }) => {
        asked.push(`${task} on ${hosts.join(" ")}`);
        return answers[asked.length - 1] ?? "no";
      },
    });
    expect(asked).toEqual(["made a on a-1 a-2", "made b on a-1 a-2", "made c on a-1 a-2"]);
    expect(played.results.flatMap(({ host, id }) => (host === "a-1" ? [id] : []))).toEqual(["a", "c", "d"]);
  });
});

describe("a list of tasks", () => {
  const connected: string[] = [];
  const list = (procedure: Procedure, select: TaskSelection = {}) => {
    connected.length = 0;
    const connect = makeConnect();
    const playbook = definePlaybook({
      name: "listed",
      summary: "a test",
      groups: { all: z.object({ cluster: z.string() }) },
      run: ({ all: fleet }, run) => procedure(fleet, run),
    });
    return listTasks(playbook, {
      inventory: localInventory(["a-1", "b-1"], { cluster: "x" }),
      select,
      emit: () => {},
      connect: async (target) => {
        connected.push(target.name);
        return connect(target);
      },
    });
  };

  it("is made without a connection where the playbook asks no host", async () => {
    const { tasks, exitCode } = await list(async (fleet, { phase, controller }) => {
      phase("first");
      await fleet.ensure((host) => [...tagged(["config"], names("x")), ...(host.name === "b-1" ? names("y") : [])]);
      await fleet.serial({ gate: ask(sh`false`, () => false) }).ensure(names("z"));
      await fleet.delegate(controller, ({ name }) => names(name));
    });
    expect(exitCode).toBe(0);
    expect(connected).toEqual([]);
    expect(tasks.map(({ phase, task, tags, hosts }) => [phase, task, tags.join(), hosts.join()])).toEqual([
      ["first", "made x", "config", "a-1,b-1"],
      ["first", "made y", "", "b-1"],
      ["first", "made z", "", "a-1"],
      ["first", "made z", "", "b-1"],
      ["first", "made a-1", "", "controller"],
      ["first", "made b-1", "", "controller"],
    ]);
    expect(tasks[0]?.where).toMatch(/selection\.test\.ts:\d+$/);
  });

  it("follows what hosts answer now, and asks only those", async () => {
    const { tasks } = await list(async (fleet) => {
      const [answer] = await fleet.only("a-1").probe(ask(sh`echo yes`, ({ stdout }) => stdout.trim()));
      await fleet.ensure(names(answer?.value === "yes" ? "chosen" : "other"));
    });
    expect(connected).toEqual(["a-1"]);
    expect(tasks.map(({ task }) => task)).toEqual(["made chosen"]);
  });

  it("has what tags choose", async () => {
    const { tasks } = await list(all, { only: ["config"] });
    expect(tasks.map(({ task }) => task)).toEqual(["made written", "made facts"]);
  });
});
