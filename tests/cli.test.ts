import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunEvent } from "@keybuzz/runner";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runKb } from "./support/run-kb.ts";

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function playNotes(...flags: readonly string[]) {
  return runKb(["play", "notes", "--limit", "one", "-e", `folder=${folder}`, ...flags]);
}

/** Without what differs from run to run. */
function steady(text: string): string {
  return text
    .replaceAll(folder, "FOLDER")
    .replaceAll(/\d+(\.\d+)? (ms|s)\b/g, "TIME")
    .replaceAll(/[0-9a-f]{59}…/g, "HASH");
}

describe("kb play", () => {
  test("check tells what apply then changes, and a second run changes nothing", async () => {
    const check = await playNotes("--check", "--exit-code");
    const first = await playNotes();
    const second = await playNotes();
    expect([check.code, first.code, second.code]).toEqual([3, 0, 0]);
    expect(steady(check.stdout)).toBe(`\
note         inventory: inventories/keybuzz.yml
notes on 1 host (check: nothing will be changed)

notes
would change one  note FOLDER/one-a  (+sha256)
would change one  note FOLDER/one-b  (+sha256)
note         the password is <secret>

notes
      host
  ok  one

     ok  would change  unknown  skipped  failed
one   0             2        0        0       0

1 host in TIME: 2 would change
`);
    expect(steady(first.stdout)).toContain("changed      one  note FOLDER/one-a  (+sha256)\n");
    expect(steady(second.stdout)).toContain("1 host in TIME: nothing to change\n");
    expect(readFileSync(join(folder, "one-b"), "utf8")).toBe("first");
    expect((await playNotes("--check", "--exit-code")).code).toBe(0);
  });

  test("--diff shows each change in full", async () => {
    await playNotes();
    const { stdout } = await playNotes("--check", "--diff", "-e", "text=bye\n");
    expect(steady(stdout)).toContain(`\
would change one  note FOLDER/one-a
             ~ sha256: HASH -> HASH
             --- FOLDER/one-a
             +++ FOLDER/one-a
             @@ -1,1 +1,1 @@
             -hello
             +bye
`);
  });

  test("-v shows what actions print, with what a terminal would obey left out", async () => {
    const { stdout } = await playNotes("-v");
    expect(steady(stdout)).toContain("             one | begun\n             one | red\n");
    expect(stdout).not.toContain("\x1b");
  });

  test("a failed host is told with what came back, and exits with 1", async () => {
    const { code, stdout } = await playNotes("-e", "fail=yes");
    expect(code).toBe(1);
    expect(steady(stdout)).toMatch(
      /^failed {7}one {2}note FOLDER\/one-a \(playbooks\/notes.ts:\d+\): failed with exit code 7$/m,
    );
    expect(stdout).toContain("               | disk on fire\n");
    expect(steady(stdout)).toContain("failed at note FOLDER/one-a");
  });

  test("an unreachable host exits with 4, says why and what to try", async () => {
    const { code, stdout } = await runKb(["play", "notes", "--limit", "gone", "-e", `folder=${folder}`]);
    expect(code).toBe(4);
    expect(stdout).toContain("unreachable  gone: cannot connect to 127.0.0.1:1\n               | connect ECONNREFUSED");
    expect(stdout).toContain("1 unreachable\n");
  });

  test("--json prints one event a line, errors as objects, and nothing else", async () => {
    const { code, stdout } = await runKb(["play", "notes", "--json", "--check", "-e", `folder=${folder}`]);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line): RunEvent => JSON.parse(line));
    expect(code).toBe(4);
    expect(events.map(({ type }) => type).filter((type) => type !== "host-connected")).toEqual([
      ...["note", "run-start", "phase", "task-end", "task-end", "task-end", "task-end"],
      ...["host-unreachable", "note", "table", "run-end"],
    ]);
    expect(events.find(({ type }) => type === "run-start")).toMatchObject({ version: 1, mode: "check" });
    expect(events.find(({ type }) => type === "host-unreachable")).toMatchObject({
      error: { code: "connect", host: "gone", message: "cannot connect to 127.0.0.1:1" },
    });
    expect(events.at(-1)).toMatchObject({ exitCode: 4 });
    expect(stdout).not.toContain("canary-5d1f");
  });

  test("Ctrl-C lets the current action end and exits with 130; a second one leaves at once", async () => {
    const { code, stdout } = await runKb(
      ["play", "notes", "-v", "--limit", "one", "-e", `folder=${folder}`, "-e", "slowS=2"],
      { onOutput: (child, text) => text.includes("begun") && child.kill("SIGINT") },
    );
    expect(code).toBe(130);
    expect(stdout).toContain("warning      finishing the current action on 1 host; Ctrl-C again to leave at once\n");
    expect(stdout).toMatch(/interrupted$/m);
    expect(readFileSync(join(folder, "one-a"), "utf8")).toBe("hello\n");

    const started = performance.now();
    const twice = await runKb(
      ["play", "notes", "-v", "--limit", "one", "-e", `folder=${folder}`, "-e", "slowS=20", "-e", "text=x"],
      { onOutput: (child, text) => /begun|finishing/.test(text) && child.kill("SIGINT") },
    );
    expect(twice.code).toBe(130);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test("a defect exits with 70", async () => {
    const { code, stdout } = await runKb(["play", "forgetful"]);
    expect(code).toBe(70);
    expect(stdout).toContain("stopped      the playbook forgetful ended while probe on one, two was still going on\n");
    expect(stdout).toContain("try: put an await before it\n");
  });
});

describe("bad usage exits with 2 before anything is connected", () => {
  test.each([
    [["play", "noets"], "there is no playbook noets\n", "try: did you mean notes?"],
    [["play", "notes", "--limit", "onne", "-e", "folder=/x"], 'no host or group "onne"', "try: did you mean one?"],
    [["play", "notes", "-e", "foldr=/x"], 'the playbook notes has no param "foldr"', "try: did you mean folder?"],
    [["play", "notes", "--chekc"], "Nonexistent flag: --chekc", "try: did you mean --check?"],
    [["play", "notes", "--exit-code"], "--check", "See more help with --help"],
    [["play"], "Missing 1 required arg", "playbook  name of a file in playbooks/, or a path"],
    [["palya", "notes"], "there is no command palya\n", "try: did you mean play?"],
    [["lab", "upp"], "there is no command lab upp\n", "try: did you mean lab up?"],
  ])("kb %j", async (argv, message, hint) => {
    const { code, stdout, stderr } = await runKb(argv);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("    at ");
    expect(stdout.replace("note         inventory: inventories/keybuzz.yml\n", "")).toBe("");
    expect(code).toBe(2);
  });

  test("with --json the error is an event", async () => {
    const { code, stdout } = await runKb(["play", "noets", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      type: "run-failed",
      error: { code: "playbook", hint: "did you mean notes?" },
    });
  });
});

describe("kb ping", () => {
  test("shows who we are on each host and what it runs", async () => {
    const { code, stdout } = await runKb(["ping", "web"]);
    expect(code).toBe(0);
    expect(steady(stdout)).toMatch(/^ {2}ok {2}one {3}one {6}TIME +\w+ +\w+/m);
  });

  test("exits with 4 where a host cannot be reached", async () => {
    const { code, stdout } = await runKb(["ping", "one,gone"]);
    expect(code).toBe(4);
    expect(stdout).toContain("unreachable  gone: cannot connect to 127.0.0.1:1\n");
  });
});

test("kb inventory shows groups, hosts, vars and where they were written, and no password", async () => {
  const { stdout } = await runKb(["inventory", "web", "--vars"]);
  expect(stdout).toBe(`\
inventories/keybuzz.yml: 2 hosts
all
  web
    one  one
      ansible_connection  local  inventories/keybuzz.yml:3:25
      note_text           first  inventories/keybuzz.yml:8:22
    two  two
      ansible_connection       local     inventories/keybuzz.yml:3:25
      note_text                second    inventories/keybuzz.yml:10:22
      ansible_become_password  <secret>  inventories/keybuzz.yml:11:36
`);
  const { stdout: json } = await runKb(["inventory", "one", "--json"]);
  expect(JSON.parse(json)).toMatchObject({
    file: "inventories/keybuzz.yml",
    hosts: [{ name: "one", groups: ["web", "all"] }],
  });
});

test("kb --help names every command", async () => {
  const { stdout } = await runKb(["--help"]);
  for (const word of ["plan", "apply", "verify", "runs", "resume", "play", "ping", "inventory", "module", "lab"])
    expect(stdout).toMatch(new RegExp(`^ {2}${word} `, "m"));
});
