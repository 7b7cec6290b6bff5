import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { exec } from "../action.ts";
import { defineModule } from "../module.ts";
import { ask, known } from "../probe.ts";
import { retry } from "../retry.ts";
import { sh } from "../sh.ts";
import { doOnce, ensureHere, outcomesOf, playHere } from "../testing/here.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-deadlines-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const pidIn = (name: string): number => Number(readFileSync(at(name), "utf8"));

/** Gone, or a zombie that nobody has reaped yet. */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

const hanging = defineModule({
  name: "hanging",
  summary: "Cannot be asked",
  params: z.strictObject({ script: z.custom<ReturnType<typeof sh>>().describe("the question") }),
  id: () => "for ever",
  probe: ({ script }) => ask({ script, timeoutMs: 700 }, () => null),
  desired: () => null,
  plan: () => [exec(sh`:`)],
});

describe("deadlines", () => {
  it("end a question that hangs, on the host too, and name the task and what it ran", async () => {
    const script = sh`sleep 77 & echo $! >${at("one")}; sh -c ${`echo $$ >${at("two")}; exec sleep 78`}`;
    const ran = await ensureHere(folder, () => [hanging({ script })]);
    expect(ran.exitCode).toBe(1);
    expect(ran.failure?.code).toBe("timeout");
    expect(ran.failure?.message).toBe("no answer within 1 s");
    expect(ran.failure?.place.task).toBe("hanging for ever");
    expect(ran.failure?.detail).toMatch(/it ran: the question of hanging for ever: sleep 77/);
    expect(ran.failure?.detail).toMatch(/its \d+ processes on the host were ended/);
    await expect.poll(() => hasEnded(pidIn("one")) && hasEnded(pidIn("two")), { timeout: 10_000 }).toBe(true);
  });

  it("of a task take the place of its module's, and say which limit it was", async () => {
    const script = sh`echo $$ >${at("pid")}; sleep 79`;
    const task = () => doOnce({ done: at("never"), actions: [exec(script)] }, { timeoutMs: 1000 });
    const ran = await ensureHere(folder, () => [task()]);
    expect(ran.failure?.message).toBe("took longer than its limit of 1 s");
    expect(ran.failure?.detail).toContain("it ran: echo $$ >");
    expect(ran.failure?.hint).toContain("timeoutMs");
    await expect.poll(() => hasEnded(pidIn("pid")), { timeout: 10_000 }).toBe(true);
  });
});

describe("retry", () => {
  /** Succeeds at its third try. */
  const thirdTime = () => sh`echo x >>${at("tries")}; [ "$(wc -l <${at("tries")})" -ge 3 ] && : >${at("done")}`;

  it("tries again on the host until it succeeds, at no round trip a try", async () => {
    const tasks = () => [retry(doOnce({ done: at("done"), actions: [exec(thirdTime())] }), { times: 5, delayMs: 10 })];
    expect(outcomesOf(await ensureHere(folder, tasks, { mode: "check" }), folder)).toEqual(["done changed"]);
    expect(() => readFileSync(at("tries"))).toThrow();
    const ran = await ensureHere(folder, tasks);
    expect(outcomesOf(ran, folder)).toEqual(["done changed"]);
    expect(ran.trips).toBe(2);
    expect(readFileSync(at("tries"), "utf8")).toBe("x\nx\nx\n");
    expect(outcomesOf(await ensureHere(folder, tasks), folder)).toEqual(["done ok"]);
  });

  it("gives up after the last try, with what that one said", async () => {
    const tasks = () => [
      retry(doOnce({ done: at("done"), actions: [exec(sh`echo x >>${at("tries")}; echo "no luck" >&2; exit 9`)] }), {
        times: 2,
        delayMs: 10,
      }),
    ];
    const ran = await ensureHere(folder, tasks);
    expect(ran.failure?.message).toBe("failed with exit code 9");
    expect(ran.failure?.detail).toMatch(/no luck\n.*try 1 of 2.*\nno luck\nthat was try 2 of 2/);
    expect(readFileSync(at("tries"), "utf8")).toBe("x\nx\n");
  });

  it("also tries again what succeeds and is not good enough; files are written whole, input is given again", async () => {
    const actions = [
      { kind: "write", path: at("done"), content: "it's\n", mode: "0600" },
      exec(sh`cat >>${at("input")}; echo x >>${at("tries")}`, { stdin: "in\n" }),
    ] as const;
    const until = sh`[ "$(wc -l <${at("tries")})" -ge 2 ]`;
    const ran = await ensureHere(folder, () => [
      retry(doOnce({ done: at("done"), actions }), { times: 3, delayMs: 10, until }),
    ]);
    expect(ran.failure).toBeUndefined();
    expect(readFileSync(at("done"), "utf8")).toBe("it's\n");
    expect(readFileSync(at("input"), "utf8")).toBe("in\nin\n");
  });

  it("refuses numbers that make no sense", () => {
    const task = doOnce({ done: at("done"), actions: [exec(sh`:`)] });
    expect(() => retry(task, { times: 1 })).toThrow(/whole number from 2/);
    expect(() => retry(task, { times: 2, delayMs: -1 })).toThrow(/pause/);
  });
});

describe("facts", () => {
  it("are asked while the connection is made: with a list made from them they cost one round trip", async () => {
    let cpus = 0;
    const ran = await playHere(folder, async (hosts) => {
      const facts = await hosts.facts();
      const [host] = hosts;
      if (host === undefined) return;
      cpus = facts.of(host).cpus;
      expect(facts.of(host)).toMatchObject({ os: { family: "debian" }, arch: "x86_64" });
      expect(facts.of(host).memoryMib).toBeGreaterThan(100);
      expect(facts.of(host).mounts.map(({ path }) => path)).toContain("/");
      expect(facts.of(host).interfaces.find(({ name }) => name === "lo")?.mtu).toBeGreaterThan(1000);
      expect(Math.abs(facts.of(host).timeMs - Date.now())).toBeLessThan(60_000);
      await hosts.ensure([doOnce({ done: "/", actions: [exec(sh`:`)] })]);
      await hosts.facts();
    });
    expect(ran.failure).toBeUndefined();
    expect(cpus).toBeGreaterThan(0);
    expect(ran.trips).toBe(1);
  });

  it("cost one more where something was asked before", async () => {
    const ran = await playHere(folder, async (hosts) => {
      await hosts.probe(ask(sh`echo hi`, ({ stdout }) => stdout));
      expect((await hosts.facts()).names).toEqual(["here"]);
      await hosts.probe(known(1));
    });
    expect(ran.failure).toBeUndefined();
    expect(ran.trips).toBe(2);
  });
});

describe.skipIf(process.getuid?.() !== 0)("another user of the host", () => {
  it("asks and acts, with files and input that are that user's own", async () => {
    const mine = at("of-nobody");
    const ran = await playHere(folder, async (hosts) => {
      await hosts.ensure([
        doOnce({
          done: mine,
          actions: [exec(sh`chmod 0711 ${folder}; mkdir -m 0700 ${mine} && chown nobody: ${mine}`)],
        }),
      ]);
      const write = { kind: "write", path: `${mine}/file`, content: "text\n", mode: "0600" } as const;
      const read = exec(sh`id -un >${`${mine}/who`}; cat >${`${mine}/input`}`, { stdin: "from root\n" });
      await hosts.as("nobody").ensure([doOnce({ done: `${mine}/file`, actions: [read, write] })]);
      const [answer] = await hosts.as("nobody").probe(ask(sh`id -un; echo "$HOME"`, ({ stdout }) => stdout));
      expect(answer?.value).toBe("nobody\n/nonexistent\n");
    });
    expect(ran.failure).toBeUndefined();
    expect(readFileSync(`${mine}/who`, "utf8")).toBe("nobody\n");
    expect(readFileSync(`${mine}/input`, "utf8")).toBe("from root\n");
  });

  it("who is not there is one clear error; in check mode, not known where an earlier task may bring it", async () => {
    const tasks = () => [doOnce({ done: at("x"), actions: [exec(sh`: >${at("x")}`)] })];
    const ran = await playHere(folder, (hosts) => hosts.as("kb-nobody-at-all").ensure(tasks));
    expect(ran.failure).toMatchObject({ code: "become", message: expect.stringContaining("there is no user") });
    const checked = await playHere(
      folder,
      async (hosts) => {
        await hosts.ensure([doOnce({ done: at("y"), actions: [exec(sh`:`)] })]);
        await hosts.as("kb-nobody-at-all").ensure(tasks);
        await hosts.ensure([doOnce({ done: "/", actions: [exec(sh`:`)] })]);
      },
      { mode: "check" },
    );
    expect(checked.failure).toBeUndefined();
    expect(outcomesOf(checked, folder)).toEqual(["y changed", "x unknown", "/ ok"]);
  });
});
