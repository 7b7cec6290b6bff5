import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inFolder, inFolderOf, PLACE_FUNCTIONS, placeOf } from "./place.ts";
import { type Sh, sh } from "./sh.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), "kb-place-"));
  mkdirSync(join(root, "real/inner"), { recursive: true });
  writeFileSync(join(root, "real/file"), "", { mode: 0o600 });
  symlinkSync("real", join(root, "ours"));
  // Where other users may write, any name can become a link.
  mkdirSync(join(root, "shared/inner"), { recursive: true });
  symlinkSync(join(root, "real"), join(root, "shared/led"));
  symlinkSync(join(root, "real/file"), join(root, "shared/file-link"));
  writeFileSync(join(root, "shared/own"), "", { mode: 0o600 });
  writeFileSync(join(root, "shared/one"), "", { mode: 0o600 });
  linkSync(join(root, "shared/one"), join(root, "shared/two"));
  chmodSync(join(root, "shared"), 0o777);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const shells = ["dash", "bash", "busybox"].filter(
  (shell) => spawnSync("sh", ["-c", `command -v ${shell}`]).status === 0,
);

function run(shell: string, script: Sh): { status: number | null; stdout: string; stderr: string } {
  const argv = shell === "busybox" ? (["busybox", ["sh"]] as const) : ([shell, []] as const);
  return spawnSync(argv[0], [...argv[1]], { input: script.text, encoding: "utf8", timeout: 20_000 });
}

const modeOf = (path: string): string => (statSync(join(root, path)).mode & 0o7777).toString(8);

it("takes a path apart", () => {
  expect(placeOf("/etc/x")).toEqual({ directory: "/etc", name: "./x" });
  expect(placeOf("/-x")).toEqual({ directory: "/", name: "./-x" });
});

describe.each(shells)("under %s", (shell) => {
  const enter = (path: string, mode?: string) => run(shell, inFolder(join(root, path), sh`pwd -P`, mode));

  it("goes to a directory, through links that nobody else can have put there", () => {
    expect(enter("real/inner").stdout).toBe(`${root}/real/inner\n`);
    expect(enter("ours/inner").stdout).toBe(`${root}/real/inner\n`);
    expect(
      run(
        shell,
        inFolderOf("/x", () => sh`pwd -P`),
      ).stdout,
    ).toBe("/\n");
  });

  it("does not follow a link in a directory that others may write to", () => {
    const { status, stdout, stderr } = enter("shared/led/inner");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`${root}/shared/led is a symbolic link that other users could have put there`);
    expect(enter("shared/inner").stdout).toBe(`${root}/shared/inner\n`);
  });

  it("says that a directory is missing, or creates it, the last one closed", () => {
    const made = `made-${shell}/a b\n/'c`;
    expect(enter(made).status).not.toBe(0);
    expect(enter(made, "0700").stdout).toBe(`${root}/${made}\n`);
    expect([modeOf(`made-${shell}`), modeOf(made)]).toEqual(["755", "700"]);
    expect(enter("shared/led/new", "0755").status).toBe(1);
    expect(existsSync(join(root, "real/new"))).toBe(false);
  });

  it("sets the mode of a file, and of nothing that a link leads to", () => {
    const set = (path: string, mode: string) =>
      run(
        shell,
        inFolderOf(join(root, path), (name) => sh`kb_attributes ${name} '' ${mode}`),
      );
    expect(set("real/file", "0640").status).toBe(0);
    expect(modeOf("real/file")).toBe("640");
    expect(set("shared/own", "0604").status).toBe(0);
    expect(modeOf("shared/own")).toBe("604");
    const before = modeOf("real/file");
    expect(set("shared/file-link", "0777")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no regular file/),
    });
    expect(set("shared/one", "0777")).toMatchObject({ status: 1, stderr: expect.stringMatching(/has a second name/) });
    expect([modeOf("real/file"), modeOf("shared/one")]).toEqual([before, "600"]);
  });
});

it("is tried under more than one shell", () => {
  expect(shells.length).toBeGreaterThan(1);
  expect(execFileSync("sh", ["-n"], { input: PLACE_FUNCTIONS.text }).toString()).toBe("");
});
