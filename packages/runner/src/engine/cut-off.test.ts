import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exec } from "../action.ts";
import type { Task } from "../module.ts";
import { sh } from "../sh.ts";
import { type Cut, cutConnection } from "../testing/cut-connection.ts";
import { doOnce, ensureHere, line, word } from "../testing/here.ts";

/** Each kind of action: files one by one and together, an edit of one, a command, a wait, a job of its own. */
function everyKind(folder: string): readonly Task[] {
  const at = (name: string): string => join(folder, name);
  // What must not be done twice leaves a line each time; what was begun is told by it, too.
  const once = (name: string): Task =>
    doOnce({ done: at(name), actions: [exec(sh`echo ran >>${at(`${name}.log`)}; : >${at(name)}`)] });
  const wait = { kind: "wait", what: "it", until: sh`[ -e ${at("exec")} ]`, timeoutMs: 5000, intervalMs: 20 } as const;
  const job = sh`echo ran >>${at("job.log")}; sleep 0.2; echo said; : >${at("job")}`;
  return [
    line({ path: at("a"), text: "one" }),
    line({ path: at("b"), text: "two" }),
    line({ path: at("c"), text: "three" }),
    once("exec"),
    word({ path: at("w"), word: "one" }),
    word({ path: at("w"), word: "more" }),
    doOnce({ done: at("waited"), actions: [wait, exec(sh`: >${at("waited")}`)] }),
    doOnce({ done: at("job"), actions: [exec(job, { detach: true })] }),
    line({ path: at("z"), text: "last" }),
  ];
}

/** What a converged folder holds. */
const WHOLE: Readonly<Record<string, string>> = {
  ...{ a: "one\n", b: "two\n", c: "three\n", w: "one more\n", z: "last\n" },
  ...{ exec: "", "exec.log": "ran\n", waited: "", job: "", "job.log": "ran\n" },
};

function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !name.endsWith(".lock"));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** Whether the lock can be had: what the run that was cut off had begun has ended. */
function lockIsFree(folder: string): boolean {
  const lock = readdirSync(folder).find((name) => name.endsWith(".lock"));
  if (lock === undefined) return true;
  try {
    execFileSync("flock", ["-n", join(folder, lock), "true"]);
    return true;
  } catch {
    return false;
  }
}

async function cutOffAndRunAgain(cut: Cut): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "kb-cut-"));
  try {
    const connection = cutConnection(cut);
    await ensureHere(folder, () => everyKind(folder), { connect: connection.connect });
    for (const [name, text] of Object.entries(contents(folder))) {
      // What a command writes itself may be half there: a job, for one, is still at work.
      if (!/^[abcwz]$/.test(name)) continue;
      const may = name === "w" ? ["one\n", "one more\n"] : [WHOLE[name]];
      expect(may, `${name} is whole after ${JSON.stringify(cut)}`).toContain(text);
    }
    await expect.poll(() => lockIsFree(folder), { timeout: 20_000, message: JSON.stringify(cut) }).toBe(true);
    const again = await ensureHere(folder, () => everyKind(folder));
    expect(again.failure, JSON.stringify(cut)).toBeUndefined();
    expect(contents(folder), JSON.stringify(cut)).toEqual(WHOLE);
    expect(again.exitCode).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** About so many places, spread over all; with KB_EVERY_CUT=1 all of them, which takes minutes. */
function spread(places: readonly number[], count: number): readonly number[] {
  const step = process.env["KB_EVERY_CUT"] === "1" ? 1 : Math.max(1, Math.floor(places.length / count));
  return places.filter((_, index) => index % step === 0);
}

describe("a connection that is lost", () => {
  it("at any frame, in either direction, leaves whole files, no second try and a free lock", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kb-cut-"));
    const whole = cutConnection(undefined);
    const ran = await ensureHere(folder, () => everyKind(folder), { connect: whole.connect });
    expect(ran.failure).toBeUndefined();
    expect(contents(folder)).toEqual(WHOLE);
    rmSync(folder, { recursive: true, force: true });
    const { toHost } = whole.passed;
    const cuts: readonly Cut[] = [
      ...spread(whole.boundaries, 14).map((afterBytes): Cut => ({ direction: "from the host", afterBytes })),
      ...spread(whole.boundaries, 5).map(
        (afterBytes): Cut => ({ direction: "from the host", afterBytes, killed: true }),
      ),
      ...[0.2, 0.6, 0.9, 0.99].map(
        (share): Cut => ({ direction: "to the host", afterBytes: Math.floor(toHost * share) }),
      ),
    ];
    for (const cut of cuts) await cutOffAndRunAgain(cut);
  }, 900_000);
});

describe("a detached job", () => {
  it("runs once, is found again by the next run, and its result is taken once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kb-job-"));
    const at = (name: string): string => join(folder, name);
    const job = sh`echo ran >>${at("log")}; echo begun; until [ -e ${at("go")} ]; do sleep 0.05; done; echo "$(cat)" >${at("done")}`;
    const tasks = () => [doOnce({ done: at("done"), actions: [exec(job, { detach: true, stdin: "input" })] })];
    const abort = new AbortController();
    const first = await ensureHere(folder, tasks, {
      interrupt: abort.signal,
      onEvent: (event) => {
        if (event.type === "output" && event.text.includes("begun")) abort.abort();
      },
    });
    expect(first.exitCode).toBe(130);
    const second = await ensureHere(folder, tasks, {
      onEvent: (event) => {
        if (event.type === "output" && event.text.includes("begun")) writeFileSync(at("go"), "");
      },
    });
    expect(second.failure).toBeUndefined();
    expect(readFileSync(at("done"), "utf8")).toBe("input\n");
    expect(readFileSync(at("log"), "utf8")).toBe("ran\n");
    rmSync(at("done"));
    await ensureHere(folder, tasks);
    expect(readFileSync(at("log"), "utf8")).toBe("ran\nran\n");
    rmSync(folder, { recursive: true, force: true });
  });

  it("hands its exit code and its last words on, and leaves nothing behind", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kb-job-"));
    const script = sh`: ${folder}; echo "no space" >&2; exit 7`;
    const ran = await ensureHere(folder, () => [
      doOnce({ done: join(folder, "never"), actions: [exec(script, { detach: true })] }),
    ]);
    expect(ran.failure?.message).toBe("failed with exit code 7");
    expect(ran.failure?.detail).toContain("no space");
    const jobs = "/run/keybuzz-jobs";
    const mine = existsSync(jobs) ? readdirSync(jobs, { recursive: true }).map(String) : [];
    const leftover = mine.filter((name) => name.endsWith("/run")).map((name) => readFileSync(join(jobs, name), "utf8"));
    expect(leftover.filter((text) => text.includes(folder))).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });
});
