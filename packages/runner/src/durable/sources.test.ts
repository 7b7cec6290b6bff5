import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { sh } from "../sh.ts";
import { makeDigest, newDigestKey } from "./digest.ts";
import { readCommit } from "./git-commit.ts";
import { differingNames, readSources } from "./sources.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-sources-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
}

it("a playbook is made of what it imports, and of what that names beside itself", () => {
  put("playbooks/a.ts", 'import { r } from "../roles/r/role.ts";\nawait import("./late.ts");\n');
  put("playbooks/late.ts", "export {};\n");
  put("roles/r/role.ts", 'export const t = new URL("templates/x.ejs", import.meta.url);\nexport * from "./role.ts";\n');
  put("roles/r/templates/x.ejs", "<%= a %>");
  put("roles/other/role.ts", "");
  const before = readSources("playbooks/a.ts", folder);
  expect(Object.keys(before)).toEqual([
    "playbooks/a.ts",
    "playbooks/late.ts",
    "roles/r/role.ts",
    "roles/r/templates/x.ejs",
  ]);
  put("roles/r/templates/x.ejs", "<%= b %>");
  put("roles/other/role.ts", "export {};");
  expect(differingNames(before, readSources("playbooks/a.ts", folder))).toEqual(["roles/r/templates/x.ejs"]);
});

it("the project's own playbook is followed to its templates", () => {
  const root = resolve(import.meta.dirname, "../../../..");
  const files = Object.keys(readSources("playbooks/site.ts", root));
  expect(files).toContain("roles/galera/templates/zz-keybuzz.cnf.ejs");
  expect(files).toContain("roles/galera/docker.ts");
});

it("a commit is read from a branch, from packed refs, from a detached head and from a worktree", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  expect(readCommit(join(folder, "a.ts"))).toBeUndefined();
  put("one/.git/HEAD", "ref: refs/heads/main\n");
  put("one/.git/refs/heads/main", `${commit}\n`);
  put("two/.git/HEAD", "ref: refs/heads/main\n");
  put("two/.git/packed-refs", `# pack-refs\n${commit} refs/heads/main\n`);
  put("three/.git/HEAD", `${commit}\n`);
  put("one/.git/worktrees/four/HEAD", "ref: refs/heads/main\n");
  put("one/.git/worktrees/four/commondir", "../..\n");
  put("four/.git", `gitdir: ${folder}/one/.git/worktrees/four\n`);
  for (const name of ["one", "two", "three", "four"]) expect(readCommit(join(folder, name, "deep/a.ts"))).toBe(commit);
});

it("digests tell values apart, and nothing without their key", () => {
  const digest = makeDigest(newDigestKey());
  expect(digest({ a: 1, b: [true, null] })).toBe(digest({ b: [true, null], a: 1 }));
  const values = [
    1,
    "1",
    null,
    undefined,
    [1],
    { a: 1 },
    { a: "1" },
    new Secret("1"),
    new Secret("2"),
    sh`1`,
    new Uint8Array([1]),
  ];
  expect(new Set(values.map(digest)).size).toBe(values.length);
  expect(digest(new Secret("x"))).toBe(digest(new Secret("x")));
  expect(makeDigest(newDigestKey())("x")).not.toBe(digest("x"));
});
