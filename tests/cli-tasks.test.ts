import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type KbResult, runKb } from "./support/run-kb.ts";

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-cli-tasks-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** On one host unless said otherwise: all hosts here are this machine, and have one lock. */
const play = (...flags: readonly string[]): Promise<KbResult> => {
  const limit = flags.includes("--limit") ? [] : ["--limit", "one"];
  return runKb(["play", "tagged", "-e", `folder=${folder}`, ...limit, ...flags]);
};
const made = (): string => readdirSync(folder).sort().join(" ");

test("--tags, --skip-tags and --start-at choose tasks, and resume keeps the choice", async () => {
  const runs = join(folder, "..", `${folder.split("/").slice(-1)}-runs`);
  try {
    const first = await runKb(
      ["play", "tagged", "--limit", "one", "-e", `folder=${folder}`, "--tags", "config,late", "--skip-tags", "late"],
      { env: { KB_RUNS: runs } },
    );
    expect(first.code).toBe(0);
    expect(made()).toBe("one-config");
    rmSync(join(folder, "one-config"));
    expect((await runKb(["resume", "last", "--all"], { env: { KB_RUNS: runs } })).code).toBe(0);
    expect(made()).toBe("one-config");
  } finally {
    rmSync(runs, { recursive: true, force: true });
  }
  expect((await play("--start-at", "mark *-config", "--skip-tags", "away")).code).toBe(0);
  expect(made()).toBe("one-config one-late");
  expect((await play("-t", "asked", "--skip-tags", "away")).code).toBe(0);
  expect(made()).toBe("one-asked one-config one-late");
  const nowhere = await play("--start-at", "mark one-plian", "--skip-tags", "away");
  expect(nowhere.code).toBe(2);
  expect(nowhere.stdout).toContain("try: did you mean mark one-plain?\n");
});

test("lists of tasks, tags and hosts change nothing, and connect only where the playbook asks", async () => {
  const { code, stdout } = await play(
    "--list-tasks",
    "--list-tags",
    "--list-hosts",
    "--limit",
    "web",
    "--skip-tags",
    "away",
  );
  expect(stdout).toBe(`\
tagged: 2 hosts

  group    hosts
  web      one, two
  nowhere  nobody
tagged: 6 tasks

first
  task             hosts  tags
  mark one-plain   one
  mark two-plain   two
  mark one-config  one    config
  mark two-config  two    config

second
  task           hosts  tags
  mark one-late  one    late
  mark two-late  two    late
tagged: 2 tags

  tag     tasks
  config      2
  late        2
`);
  expect([code, made()]).toEqual([0, ""]);

  const asked = await play("--list-tasks", "--limit", "all", "--json");
  expect(asked.code).toBe(4);
  const list = JSON.parse(asked.stdout);
  expect(list.tasks).toHaveLength(6);
  expect(list.tasks[2]).toMatchObject({ phase: "first", task: "mark one-config", hosts: ["one"], tags: ["config"] });
  expect(list.errors).toMatchObject([{ code: "connect", host: "gone" }]);
});

test("--limit @FILE takes hosts from a file; --step refuses without a terminal", async () => {
  writeFileSync(join(folder, "hosts"), "# again\none\n");
  const { code } = await play("--skip-tags", "away", "--limit", `@${join(folder, "hosts")}`);
  expect([code, made()]).toEqual([0, "hosts one-config one-late one-plain"]);
  const step = await play("--step");
  expect(step.code).toBe(2);
  expect(step.stderr).toContain("there is no terminal to ask on\n");
});
