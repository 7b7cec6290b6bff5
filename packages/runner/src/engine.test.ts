import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import type { Action } from "./action.ts";
import { exec } from "./action.ts";
import { RefusedError } from "./errors.ts";
import type { RunEvent, TaskResult } from "./events.ts";
import { defineModule, type Task } from "./module.ts";
import { definePlaybook } from "./playbook.ts";
import { ask, unmet } from "./probe.ts";
import { play, type RunReport } from "./run.ts";
import { Secret } from "./secret.ts";
import { sh } from "./sh.ts";
import { localInventory } from "./testing/local-inventory.ts";
import { makeConnect } from "./transport/connect.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-engine-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A file with one text: the smallest module with a state of its own. */
const note = defineModule({
  name: "note",
  summary: "A file that holds one text",
  params: z.strictObject({
    path: z.string().describe("path"),
    text: z.union([z.string(), z.instanceof(Secret)]).describe("content"),
    validate: z.custom<ReturnType<typeof sh>>().optional().describe("check of the candidate"),
  }),
  id: ({ path }) => path,
  probe: ({ path }) =>
    ask(sh`if [ -e ${path} ]; then cat ${path}; else exit 3; fi`, ({ stdout, exitCode }) =>
      exitCode === 3 ? null : { text: stdout },
    ),
  desired: ({ text }) => ({ text: text instanceof Secret ? text.reveal() : text }),
  plan: ({ params }) => [
    {
      kind: "write",
      path: params.path,
      content: params.text,
      mode: "0640",
      ...(params.validate === undefined ? {} : { validate: params.validate }),
    },
  ],
  touches: ({ path }) => [`file:${path}`],
});

/** Copies a file; needs its source. Its ground moves when the source is written. */
const copy = defineModule({
  name: "copy_of",
  summary: "A copy of another file",
  params: z.strictObject({ from: z.string().describe("source"), to: z.string().describe("target") }),
  id: ({ to }) => to,
  probe: ({ from, to }) =>
    ask(
      sh`if [ ! -e ${from} ]; then echo none; elif cmp -s ${from} ${to}; then echo same; else echo differs; fi`,
      ({ stdout }) => (stdout.trim() === "none" ? unmet(`${from} does not exist`) : { same: stdout.trim() === "same" }),
    ),
  desired: () => ({ same: true }),
  plan: ({ params }) => [exec(sh`cp ${params.from} ${params.to}`)],
  foresee: ({ from }, current, touched) => (touched.has(`file:${from}`) ? { same: false } : current),
});

const run = defineModule({
  name: "run_once",
  summary: "Runs scripts unless a file exists",
  params: z.strictObject({
    done: z.string().describe("marker"),
    actions: z.custom<readonly [Action, ...Action[]]>().describe("actions"),
  }),
  id: ({ done }) => done,
  probe: ({ done }) =>
    ask(sh`if [ -e ${done} ]; then echo yes; fi`, ({ stdout }) => (stdout === "yes\n" ? { done: true } : null)),
  desired: () => ({ done: true }),
  plan: ({ params }) => params.actions,
});

interface Played extends RunReport {
  readonly events: readonly RunEvent[];
  readonly results: readonly TaskResult[];
  readonly trips: number;
}

async function converge(
  tasks: () => readonly Task[],
  options: {
    mode?: "check" | "apply";
    diff?: boolean;
    interrupt?: AbortSignal;
    onEvent?: (event: RunEvent) => void;
  } = {},
): Promise<Played> {
  const events: RunEvent[] = [];
  const playbook = definePlaybook({
    name: "test",
    summary: "test",
    groups: { all: z.object({}) },
    async run({ all }) {
      await all.ensure(tasks);
    },
  });
  const report = await play(playbook, {
    inventory: localInventory(["here"]),
    mode: options.mode ?? "apply",
    diff: options.diff ?? false,
    connect: makeConnect(),
    // Other tests play on this machine at the same time.
    lockFolder: folder,
    emit: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
    ...(options.interrupt === undefined ? {} : { interrupt: options.interrupt }),
  });
  const results = events.flatMap((event) => (event.type === "task-end" ? [event.result] : []));
  return { ...report, events, results, trips: report.recap[0]?.roundTrips ?? -1 };
}

const outcomes = (played: Played): string[] =>
  played.results.map(({ id, outcome }) => `${id.replace(folder, "")} ${outcome}`);
const at = (name: string): string => join(folder, name);
const errorOf = (played: Played) =>
  played.events.flatMap((event) => (event.type === "host-failed" ? [event.error] : []))[0];

function stateOf(pid: number): string {
  try {
    return /^State:.*$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[0] ?? "";
  } catch {
    return "";
  }
}

describe("round trips", () => {
  it("takes one where everything is as wanted, however many tasks there are", async () => {
    const tasks = () => Array.from({ length: 60 }, (_, n) => note({ path: at(`n${n}`), text: `text ${n}\n` }));
    const first = await converge(tasks);
    expect(first.trips).toBe(2);
    expect(first.results.every(({ outcome }) => outcome === "changed")).toBe(true);
    const second = await converge(tasks);
    expect(second.trips).toBe(1);
    expect(second.results.every(({ outcome }) => outcome === "ok")).toBe(true);
  });

  it("takes one more for each task whose ground an earlier one moved", async () => {
    writeFileSync(at("a"), "old\n");
    writeFileSync(at("b"), "old\n");
    const tasks = () => [note({ path: at("a"), text: "new\n" }), copy({ from: at("a"), to: at("b") })];
    const played = await converge(tasks);
    expect(outcomes(played)).toEqual(["/a changed", "/b changed"]);
    expect(played.trips).toBe(3);
    expect(readFileSync(at("b"), "utf8")).toBe("new\n");
  });

  it("plans a task anew once its prerequisite is there", async () => {
    const tasks = () => [note({ path: at("a"), text: "x" }), copy({ from: at("a"), to: at("b") })];
    const played = await converge(tasks);
    expect(outcomes(played)).toEqual(["/a changed", "/b changed"]);
    expect((await converge(tasks)).trips).toBe(1);
  });
});

describe("check mode", () => {
  it("changes nothing and lists exactly what a run then changes", async () => {
    writeFileSync(at("b"), "old");
    const tasks = () => [
      note({ path: at("a"), text: "x" }),
      copy({ from: at("a"), to: at("b") }),
      note({ path: at("c"), text: "y" }),
    ];
    const checked = await converge(tasks, { mode: "check" });
    expect(() => statSync(at("a"))).toThrow();
    expect(readFileSync(at("b"), "utf8")).toBe("old");
    const applied = await converge(tasks);
    expect(outcomes(checked)).toEqual(outcomes(applied));
    expect(checked.results.map(({ changes }) => changes)).toEqual(applied.results.map(({ changes }) => changes));
  });

  it("foresees that an unchanged task is going to be needed", async () => {
    writeFileSync(at("a"), "old");
    writeFileSync(at("b"), "old");
    const tasks = () => [note({ path: at("a"), text: "new" }), copy({ from: at("a"), to: at("b") })];
    expect(outcomes(await converge(tasks, { mode: "check" }))).toEqual(["/a changed", "/b changed"]);
  });

  it("treats what nothing brings as an error, before anything is touched", async () => {
    const tasks = () => [copy({ from: at("nowhere"), to: at("b") }), note({ path: at("c"), text: "y" })];
    for (const mode of ["check", "apply"] as const) {
      const played = await converge(tasks, { mode });
      expect(played.exitCode).toBe(1);
      expect(errorOf(played)?.message).toContain("nowhere does not exist");
      expect(() => statSync(at("c"))).toThrow();
    }
  });
});

describe("actions", () => {
  it("stops at the first that fails, says what came back, and converges when run again", async () => {
    const tasks = () => [
      note({ path: at("a"), text: "1" }),
      run({ done: at("done"), actions: [exec(sh`echo out; echo "disk is full" >&2; exit 7`)] }),
      note({ path: at("z"), text: "2" }),
    ];
    const played = await converge(tasks);
    expect(played.exitCode).toBe(1);
    expect(outcomes(played)).toEqual(["/a changed", "/done failed"]);
    expect(errorOf(played)?.message).toBe("failed with exit code 7");
    expect(errorOf(played)?.detail).toBe('it ran: echo out; echo "disk is full" >&2; exit 7\nout\ndisk is full');
    expect(errorOf(played)?.hint).toMatch(/run the same command again/);
    expect(errorOf(played)?.place).toMatchObject({ host: "here", task: `run_once ${at("done")}` });
    expect(errorOf(played)?.place.where).toMatch(/engine\.test\.ts:\d+$/);
    expect(() => statSync(at("z"))).toThrow();
  });

  it("says so when actions succeed and the host is still not as wanted", async () => {
    const played = await converge(() => [run({ done: at("never"), actions: [exec(sh`true`)] })]);
    expect(errorOf(played)?.code).toBe("not-converged");
  });

  it("ends an action at its limit, with what it started", async () => {
    const started = Date.now();
    const pid = at("pid");
    const actions = [exec(sh`sleep 60 & echo $! >${pid}; wait`, { timeoutMs: 1000 })] as const;
    const played = await converge(() => [run({ done: at("x"), actions })]);
    expect(errorOf(played)?.code).toBe("timeout");
    expect(Date.now() - started).toBeLessThan(10_000);
    // Gone, or a zombie that nobody has reaped yet.
    const ended = (): boolean => /^(State:\tZ.*)?$/m.test(stateOf(Number(readFileSync(pid, "utf8"))));
    await expect.poll(ended, { timeout: 3000 }).toBe(true);
  });

  it("waits on the host, without a round trip a try", async () => {
    const wait: Action = {
      kind: "wait",
      what: "the file",
      until: sh`[ -e ${at("late")} ]`,
      timeoutMs: 5000,
      intervalMs: 20,
    };
    const actions = [exec(sh`( sleep 0.2; : >${at("late")} ) & : >${at("d")}`), wait] as const;
    const played = await converge(() => [run({ done: at("d"), actions })]);
    expect(outcomes(played)).toEqual(["/d changed"]);
    expect(played.trips).toBe(2);
  });

  it("names what it waited for", async () => {
    const wait: Action = {
      kind: "wait",
      what: "the moon",
      until: sh`echo still dark; false`,
      timeoutMs: 1000,
      onTimeout: sh`echo looked up`,
    };
    const played = await converge(() => [run({ done: at("d"), actions: [wait] })]);
    expect(errorOf(played)?.detail).toContain("waited 1 s for the moon");
    expect(errorOf(played)?.detail).toContain("still dark");
    expect(errorOf(played)?.detail).toContain("looked up");
  });

  it("stops waiting for what will never come", async () => {
    const wait: Action = { kind: "wait", what: "the moon", until: sh`echo it fell down; exit 69`, timeoutMs: 60_000 };
    const started = Date.now();
    const played = await converge(() => [run({ done: at("d"), actions: [wait] })]);
    expect(errorOf(played)?.detail).toBe("it ran: wait for the moon\ngave up waiting for the moon\nit fell down");
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it("replaces a file only when its candidate is valid", async () => {
    writeFileSync(at("f"), "good");
    const played = await converge(() => [note({ path: at("f"), text: "bad", validate: sh`grep -q good "$KB_FILE"` })]);
    expect(played.exitCode).toBe(1);
    expect(readFileSync(at("f"), "utf8")).toBe("good");
    expect(
      (await converge(() => [note({ path: at("f"), text: "also good", validate: sh`grep -q good "$KB_FILE"` })]))
        .exitCode,
    ).toBe(0);
    expect(statSync(at("f")).mode & 0o777).toBe(0o640);
  });

  it("stops a wait that goes on, when interrupted", async () => {
    const abort = new AbortController();
    const wait: Action = { kind: "wait", what: "the moon", until: sh`false`, timeoutMs: 60_000, intervalMs: 50 };
    const actions = [exec(sh`echo begun`), wait] as const;
    const played = await converge(() => [run({ done: at("one"), actions })], {
      interrupt: abort.signal,
      onEvent: (event) => {
        if (event.type === "output") abort.abort();
      },
    });
    expect(played.exitCode).toBe(130);
    expect(errorOf(played)?.message).toBe("stopped while it waited, as asked");
  });

  it("stops before the next task when interrupted, and says so", async () => {
    const abort = new AbortController();
    const tasks = () => [
      run({ done: at("one"), actions: [exec(sh`echo begun; sleep 0.7; : >${at("one")}`)] }),
      note({ path: at("two"), text: "2" }),
    ];
    const played = await converge(tasks, {
      interrupt: abort.signal,
      onEvent: (event) => {
        if (event.type === "output") abort.abort();
      },
    });
    expect(played.exitCode).toBe(130);
    expect(statSync(at("one")).isFile()).toBe(true);
    expect(() => statSync(at("two"))).toThrow();
    expect((await converge(tasks)).exitCode).toBe(0);
  });
});

describe("hostile output", () => {
  it.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what stays inert is the point
    ["quotes and holes", "'\"`$(id)${x}<%= 1 %>{{x}}\\n\\'"],
    ["no final newline", "a\nb"],
    ["blank lines around", "\n\na\n\n"],
    ["carriage returns", "a\r\nb\r\n"],
    ["a frame's look", "\n@@0123456789abcdef0123456789abcdef e s0 0\n"],
    ["leading dashes", "-n -e --help"],
    ["letters of the world", "naïve ☃ 漢字 \u202e"],
    ["64 KB", "x".repeat(65_536)],
  ])("carries %s to the host and back unchanged", async (_what, text) => {
    const tasks = () => [note({ path: at("f 'x'"), text })];
    expect((await converge(tasks)).exitCode).toBe(0);
    expect(readFileSync(at("f 'x'"), "utf8")).toBe(text);
    expect(outcomes(await converge(tasks))).toEqual(["/f 'x' ok"]);
  });

  it("is not confused by a megabyte on standard error, or by a script that reads its input", async () => {
    const noisy = exec(sh`head -c 1000000 /dev/zero | tr '\0' e >&2; cat; : >${at("d")}`);
    const played = await converge(() => [run({ done: at("d"), actions: [noisy] }), note({ path: at("e"), text: "x" })]);
    expect(outcomes(played)).toEqual(["/d changed", "/e changed"]);
  });

  it("survives a syntax error in a script", async () => {
    const played = await converge(() => [run({ done: at("d"), actions: [exec(sh`if then fi )`)] })]);
    expect(played.exitCode).toBe(1);
    expect(errorOf(played)?.detail).toMatch(/syntax error/i);
  });
});

describe("secrets", () => {
  it("reach a file, and no process list and no event", async () => {
    const canary = "kb-canary-5d41402a";
    const watch = exec(
      sh`cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' >${at("seen")}; : >${at("d")}`,
      {
        stdin: new Secret(canary),
      },
    );
    const played = await converge(
      () => [note({ path: at("f"), text: new Secret(canary) }), run({ done: at("d"), actions: [watch] })],
      { diff: true },
    );
    expect(readFileSync(at("f"), "utf8")).toBe(canary);
    expect(readFileSync(at("seen"), "utf8").includes(canary)).toBe(false);
    expect(JSON.stringify(played.results.map(({ changes, ...rest }) => rest)).includes(canary)).toBe(false);
  });

  it("are refused in command text", () => {
    expect(() => sh`echo ${new Secret("x")}`).toThrow(/Secret/);
  });
});

it("lets the other branches of a playbook come to their end when one fails", async () => {
  const playbook = definePlaybook({
    name: "branches",
    summary: "test",
    groups: { all: z.object({}) },
    async run({ all }) {
      const slow = async (): Promise<void> => {
        await all.ensure([run({ done: at("first"), actions: [exec(sh`sleep 0.3; : >${at("first")}`)] })]);
        await all.ensure([note({ path: at("second"), text: "2" })]);
      };
      await Promise.all([slow(), Promise.reject(new RefusedError("no"))]);
    },
  });
  const report = await play(playbook, {
    inventory: localInventory(["here"]),
    mode: "apply",
    connect: makeConnect(),
    lockFolder: folder,
    emit: () => {},
  });
  expect(report.error?.message).toBe("no");
  expect(readFileSync(at("second"), "utf8")).toBe("2");
});

it("reports an ensure that nobody awaited", async () => {
  const playbook = definePlaybook({
    name: "lost",
    summary: "test",
    groups: { all: z.object({}) },
    async run({ all }) {
      void all.ensure([note({ path: at("a"), text: "1" })]);
    },
  });
  const report = await play(playbook, {
    inventory: localInventory(["here"]),
    mode: "check",
    connect: makeConnect(),
    emit: () => {},
  });
  expect(report.exitCode).toBe(70);
  expect(report.error?.hint).toBe("put an await before it");
});
