import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exec } from "../action.ts";
import type { Task } from "../module.ts";
import { sh } from "../sh.ts";
import { doOnce, ensureHere, line, outcomesOf, word } from "../testing/here.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-trips-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

/** Files of their own, edits of one file, and commands, in turn. */
function mixed(count: number): readonly Task[] {
  return Array.from({ length: count }, (_, n) => {
    if (n % 3 === 0) return line({ path: at(`f${n}`), text: `line ${n}` });
    if (n % 3 === 1) return word({ path: at("words"), word: `w${n}` });
    return doOnce({ done: at(`d${n}`), actions: [exec(sh`: >${at(`d${n}`)}`)] });
  });
}

describe("round trips", () => {
  it.each([10, 50, 200])("do not grow with the list: %i tasks", async (count) => {
    const first = await ensureHere(folder, () => mixed(count));
    expect(first.failure).toBeUndefined();
    expect(new Set(first.results.map(({ outcome }) => outcome))).toEqual(new Set(["changed"]));
    expect(first.trips).toBe(2);
    const second = await ensureHere(folder, () => mixed(count));
    expect(new Set(second.results.map(({ outcome }) => outcome))).toEqual(new Set(["ok"]));
    expect(second.trips).toBe(1);
  });

  it("are not spent on a second edit of one file, which check mode sees as a run does", async () => {
    writeFileSync(at("words"), "a\n");
    const tasks = () => ["b", "c", "d", "b"].map((one) => word({ path: at("words"), word: one }));
    const checked = await ensureHere(folder, tasks, { mode: "check" });
    const ran = await ensureHere(folder, tasks);
    expect(ran.trips).toBe(2);
    expect(readFileSync(at("words"), "utf8")).toBe("a b c d\n");
    expect(checked.results.map(({ outcome, changes }) => ({ outcome, changes }))).toEqual(
      ran.results.map(({ outcome, changes }) => ({ outcome, changes })),
    );
    expect(outcomesOf(ran, folder).at(-1)).toMatch(/^b .* ok$/);
  });

  it("are spent where the host is not as foreseen, and nothing is built on a wrong guess", async () => {
    const meddle = exec(sh`echo "a x" >${at("words")}; : >${at("met")}`);
    const tasks = () => [
      word({ path: at("words"), word: "a" }),
      doOnce({ done: at("met"), actions: [meddle] }),
      word({ path: at("words"), word: "b" }),
    ];
    const ran = await ensureHere(folder, tasks);
    expect(ran.trips).toBe(3);
    expect(readFileSync(at("words"), "utf8")).toBe("a x b\n");
    expect(ran.results.at(-1)?.changes).toEqual([{ path: "text", before: "a x", after: "a x b" }]);
  });
});

describe("files that are written together", () => {
  const many = (): readonly Task[] =>
    Array.from({ length: 30 }, (_, n) => line({ path: at(`f${n}`), text: `it's ${n}` }));

  it("are whole, with their modes, and leave nothing else", async () => {
    const ran = await ensureHere(folder, many);
    expect(ran.failure).toBeUndefined();
    expect(readFileSync(at("f7"), "utf8")).toBe("it's 7\n");
    expect(statSync(at("f7")).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder).filter((name) => name.startsWith(".keybuzz"))).toEqual([]);
  });

  it("are told one by one where one of them fails; those before it are done", async () => {
    rmSync(at("f12"), { force: true });
    const tasks = (): readonly Task[] => [
      ...many().slice(0, 12),
      line({ path: at("no/such/folder"), text: "x" }),
      ...many().slice(12),
    ];
    const ran = await ensureHere(folder, tasks);
    expect(ran.failure?.place.task).toBe(`line ${at("no/such/folder")}`);
    expect(ran.failure?.detail).toMatch(/can.t cd to|No such file/);
    expect(
      outcomesOf(ran, folder)
        .slice(0, 12)
        .every((text) => text.endsWith(" changed")),
    ).toBe(true);
    expect(ran.results).toHaveLength(13);
    expect(readdirSync(folder).filter((name) => /^f(1[2-9]|2)/.test(name) && name !== "f2")).toEqual([]);
    expect((await ensureHere(folder, many)).exitCode).toBe(0);
  });

  it("replace a link and keep what it leads to; a directory in the way is an error", async () => {
    writeFileSync(at("target"), "kept\n");
    const made = exec(sh`ln -s ${at("target")} ${at("f3")}; mkdir -p ${at("f5")}; : >${at("made")}`);
    await ensureHere(folder, () => [doOnce({ done: at("made"), actions: [made] })]);
    const ran = await ensureHere(folder, many);
    expect(ran.failure?.place.task).toBe(`line ${at("f5")}`);
    expect(ran.failure?.detail).toContain("is a directory");
    expect(readFileSync(at("target"), "utf8")).toBe("kept\n");
    expect(readFileSync(at("f3"), "utf8")).toBe("it's 3\n");
  });
});
