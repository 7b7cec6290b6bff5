import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { check } from "../check/check.ts";
import { CommandLineError } from "../usage-error.ts";
import { formsOf } from "./names.ts";
import { scaffold } from "./scaffold.ts";

// Compilers on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });

const ROOT = resolve(import.meta.dirname, "../../../../..");
/** As long as a name may be: lines that hold it must still fit. */
const LONG = "a-name-of-thirty-characters-or";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-new-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(tool: string, argv: readonly string[], cwd: string): Promise<string> {
  const path = join(ROOT, "node_modules", tool);
  // Vitest tells its workers who they are by the environment: this one is nobody's.
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
  const ran = promisify(execFile)(process.execPath, [path, ...argv], { cwd, env, timeout: 120_000 });
  const { stdout, stderr } = await ran.catch((error: Error & { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

describe("a new project, with one more of each kind", () => {
  let project: string;
  beforeAll(() => {
    scaffold("project", "trial", folder);
    project = join(folder, "trial");
    symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"));
    for (const kind of ["role", "module", "playbook", "inventory"] as const) {
      for (const name of ["xy", LONG]) scaffold(kind, name, project);
    }
  });

  it("has correct types", async () => {
    expect(await run("typescript/bin/tsc", ["-p", "."], project)).toBe("");
  });

  it("is formatted, and free of what the linter finds", async () => {
    expect(await run("@biomejs/biome/bin/biome", ["check", "."], project)).toMatch(
      /^Checked \d+ files in .*\. No fixes applied\.\n$/,
    );
  });

  it("passes its own tests", async () => {
    const report = join(folder, "report.json");
    await run("vitest/vitest.mjs", ["run", "--reporter=json", `--outputFile=${report}`], project);
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
    expect([numFailedTests, testResults.length]).toEqual([0, 5]);
    expect(numPassedTests).toBeGreaterThan(20);
  });

  it("is found right by kb check, with the inventory of its name", async () => {
    const request = { limit: undefined, params: [], types: false, directory: project };
    for (const [playbook, name] of [
      ["site", "trial"],
      ["xy", "xy"],
      [LONG, LONG],
    ] as const) {
      const report = await check({ ...request, playbook, inventory: `inventories/${name}.yml` });
      expect(report.faults).toEqual([]);
      expect(report.unchecked).toEqual([]);
      expect(report.hosts.map(({ host, tasks }) => [host, tasks.length])).toEqual([
        ["web-01", 2],
        ["web-02", 2],
      ]);
    }
  });

  it("asks for the versions and the compiler options that this repository is tested with", () => {
    const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
    const own = read(join(project, "package.json"));
    const { devDependencies, engines } = read(join(ROOT, "package.json"));
    expect(own.engines).toEqual(engines);
    for (const [name, range] of Object.entries(own.devDependencies))
      expect([name, range]).toEqual([name, devDependencies[name]]);
    for (const name of ["cli", "modules", "runner"]) {
      expect(own.dependencies[`@keybuzz/${name}`]).toBe(
        `^${read(join(ROOT, "packages", name, "package.json")).version}`,
      );
    }
    expect(own.dependencies.zod).toBe(read(join(ROOT, "packages/runner/package.json")).dependencies.zod);
    expect(read(join(project, "tsconfig.json")).compilerOptions).toEqual(
      read(join(ROOT, "tsconfig.base.json")).compilerOptions,
    );
  });
});

it("puts a module where the runner's own repository has its modules", () => {
  const root = join(folder, "ours");
  mkdirSync(join(root, "packages/modules/src"), { recursive: true });
  writeFileSync(join(root, "packages/modules/src/index.ts"), "");
  const { files, next } = scaffold("module", "time_zone", root);
  expect(files).toContain("packages/modules/src/time-zone/time-zone.ts");
  expect(next.join("\n")).toContain("export { timeZone } from packages/modules/src/index.ts");
  expect(readFileSync(join(root, "packages/modules/src/time-zone/time-zone.ts"), "utf8")).toContain(
    'name: "time_zone"',
  );
});

it("overwrites nothing, and writes nothing where something would be", () => {
  const root = join(folder, "there");
  mkdirSync(join(root, "roles/web"), { recursive: true });
  writeFileSync(join(root, "roles/web/role.ts"), "mine");
  expect(() => scaffold("role", "web-server", root)).not.toThrow();
  mkdirSync(join(root, "roles/half"), { recursive: true });
  writeFileSync(join(root, "roles/half/role.ts"), "mine");
  expect(() => scaffold("role", "half", root)).toThrow("roles/half/role.ts is there already; nothing was written");
  expect(readFileSync(join(root, "roles/half/role.ts"), "utf8")).toBe("mine");
  expect(existsSync(join(root, "roles/half/README.md"))).toBe(false);
});

it.each(["", "1st", "a/b", "../x", "a--b", "a-", "web", "new", "x".repeat(31), "é"])("refuses the name %j", (name) => {
  expect(() => formsOf(name)).toThrow(CommandLineError);
});
