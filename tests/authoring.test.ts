import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runKb } from "./support/run-kb.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-authoring-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("kb do", () => {
  test("a module: check tells what apply does, and a second time nothing is left to do", async () => {
    const path = join(folder, "file");
    const words = ["do", "one", "file", `path=${path}`, "content=@notes.txt", "mode=0640"];
    expect(await runKb(words)).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot read") });
    const task = ["do", "one", "file", `path=${path}`, "content=hello", "mode=0640"];
    const check = await runKb([...task, "--check", "--diff", "--exit-code"]);
    expect(check.code).toBe(3);
    expect(check.stdout).toContain(`would change one  file ${path}\n`);
    expect(check.stdout).toContain("             +hello\n");
    expect(existsSync(path)).toBe(false);
    expect((await runKb(task)).stdout).toContain(`changed      one  file ${path}`);
    expect(readFileSync(path, "utf8")).toBe("hello");
    expect((await runKb([...task, "--json"])).stdout).toContain('"outcome":"ok"');
  });

  test("a plain command: what each host printed, and its exit code", async () => {
    const { code, stdout } = await runKb(["do", "one", "--", "printf", "%s\\n", "it's $HOME"]);
    expect(stdout).toContain("note         one  exit code 0\n             it's $HOME\n");
    expect(stdout).toContain("what it changes is not known to kb\n");
    expect(code).toBe(0);
    const failed = await runKb(["do", "one", "shell", "echo out; echo err >&2; exit 3"]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/^failed {7}one .*: exit code 3\n +\| out\n +\| err$/m);
  });

  test.each([
    [["do", "one", "--check", "--", "uptime"], "a plain command cannot be checked", "kb module list"],
    [["do", "one", "command", "run=uptime"], "command needs unless=TEST or creates=PATH", "kb do PATTERN -- COMMAND"],
    [["do", "one", "fiel", "path=/x"], "there is no module fiel", "did you mean file?"],
    [["do", "one", "file", "pth=/x"], 'file has no param "pth"', "did you mean path?"],
    [["do", "one", "file", "path=x"], "file: path: this value does not fit", "| must be an absolute path"],
    [["do", "one", "apt"], "bad params for apt\n", "kb module show apt"],
    [["do", "one"], "there is nothing to do", "name a module, or a command after --"],
    [["do", "one", "file", "--dif"], "Nonexistent flag: --dif", "did you mean --diff?"],
  ])("kb %j is refused before anything is connected", async (argv, message, hint) => {
    const { code, stdout, stderr } = await runKb(argv);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

test("kb check exits with 0 where nothing is wrong, and with 2 where something is", async () => {
  const fine = await runKb(["check", "notes", "--no-types", "-e", `folder=${folder}`, "-v"]);
  expect(fine.stdout).toMatch(/^checked {6}two {2}note /m);
  expect(fine.stdout).toMatch(/2 hosts, 4 tasks \(0 templates\) in .*: no error; 1 place left to a run with --check/);
  expect(fine.code).toBe(0);
  const bad = await runKb(["check", "notes", "--no-types", "--json", "-e", `foldr=${folder}`]);
  expect(JSON.parse(bad.stdout)).toMatchObject({ faults: [{ code: "params", hint: "did you mean folder?" }] });
  expect(bad.code).toBe(2);
});

describe("kb console, from a pipe", () => {
  const typed = (...lines: readonly string[]) => runKb(["console", "one"], { input: `${lines.join("\n")}\n` });

  test("tells in check mode, changes after a confirmation, and tells again", async () => {
    const path = join(folder, "typed");
    const { code, stdout, stderr } = await typed(
      `const path: string = ${JSON.stringify(path)};`,
      "const wanted = file({",
      '  path, content: "typed\\n",',
      "});",
      "await ensure(wanted)",
      `await probe(sh\`test -e \${path}; echo there: $?\`)`,
      ".apply on",
      "one",
      "ensure([wanted])",
      "(await ensure(wanted)).changed",
      ".apply off",
      'await ensure(file({ path, state: "absent" }))',
      "host.name",
    );
    expect(stderr).toBe("");
    expect(stdout.split("\n").filter((line) => !line.startsWith(" "))).toEqual([
      `would change one  file ${path}`,
      "1 would change",
      "there: 1",
      "ensure changes the host",
      `changed      one  file ${path}`,
      "1 changed",
      `ok           one  file ${path}`,
      "[]",
      "ensure changes nothing",
      `would change one  file ${path}`,
      "1 would change",
      "'one'",
      "",
    ]);
    expect(code).toBe(0);
    expect(readFileSync(path, "utf8")).toBe("typed\n");
  });

  test.each([
    ["a statement that throws", ['throw new Error("mine")', "1"], 1, "Error: mine\n"],
    ["bad params", ["await ensure(apt({ nme: 1 }))", "1"], 2, "bad params for apt"],
    ["a task that fails", [".apply on", "one", 'await ensure(file({ path: "/nope/x" , content: "" }))', "1"], 1, ""],
    ["a confirmation that is none", [".apply on", "two", "1"], 2, "not confirmed: still in check mode"],
    ["an unknown command", [".aply on", "1"], 2, "there is no command .aply"],
    ["an end in the middle", ["ensure([", "  1,"], 2, "the last statement is not at its end"],
  ])("stops at %s", async (_, lines, code, message) => {
    const got = await typed(...lines);
    expect(got.stderr).toContain(message);
    expect(got.stdout).not.toMatch(/^1$/m);
    expect(got.code).toBe(code);
  });

  test("says at once that a host cannot be reached, or is none", async () => {
    expect(await runKb(["console", "gone"], { input: "1\n" })).toMatchObject({
      code: 4,
      stdout: expect.stringContaining("unreachable  gone: cannot connect to 127.0.0.1:1"),
    });
    expect(await runKb(["console", "onne"])).toMatchObject({ code: 2, stderr: expect.stringContaining("mean one?") });
  });
});
