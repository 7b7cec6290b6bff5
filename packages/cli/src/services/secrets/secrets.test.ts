import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { lockForNew, Secret, writeSealed } from "@keybuzz/runner";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askNewPassphrase, encryptFile, viewSecret } from "./secrets.ts";

const KB = resolve(import.meta.dirname, "../../../bin/kb.js");
const CANARY = "canary-4711";

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-edit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Starts kb in the folder, the editor being a script of these lines; XDG_RUNTIME_DIR is none, so /dev/shm is used. */
function kb(
  args: readonly string[],
  editor = "true",
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  writeFileSync(at("editor"), `#!/bin/sh\n${editor}\n`);
  chmodSync(at("editor"), 0o755);
  const { VISUAL: _, XDG_RUNTIME_DIR: __, KB_AGE_KEY_FILE: ___, ...env } = process.env;
  const child = spawn(process.execPath, [KB, ...args], {
    cwd: folder,
    env: { ...env, EDITOR: at("editor"), KB_TEST_FOLDER: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  return { child, ended: new Promise((done) => child.once("close", (code) => done({ code, output }))) };
}

/** Folders that an edit of ours has in memory. */
function leftovers(pid: number | undefined): readonly string[] {
  return readdirSync("/dev/shm").filter((name) => name.startsWith(`kb-secrets-${pid}-`));
}

/** A sealed file, made without the command line: a start of kb takes long where much else goes on. */
async function seal(name: string, clear: string): Promise<void> {
  const { lock, opener } = await lockForNew(at(name), {});
  await writeSealed(at(name), new Secret(clear), lock, opener);
}

async function view(file: string): Promise<string> {
  return (await viewSecret({ file, directory: folder })).reveal();
}

describe("kb secrets", () => {
  it("creates, views and edits, and shows the text to the editor alone, in memory, for nobody else", async () => {
    const created = kb(["secrets", "create", "db.env.age"], `printf 'ROOT=${CANARY}\\n' >"$1"`);
    expect((await created.ended).output).toContain("db.env.age is sealed");
    expect(readFileSync(at("db.env.age"), "utf8")).not.toContain(CANARY);
    expect((await kb(["secrets", "view", "db.env.age"]).ended).output).toBe(`ROOT=${CANARY}\n`);
    const look = `stat -f -c %T "$1" >"$KB_TEST_FOLDER/seen"; stat -c '%a %n' "$1" "$(dirname "$1")" >>"$KB_TEST_FOLDER/seen"`;
    const edited = kb(["secrets", "edit", "db.env.age"], `${look}; cp "$1" "$1~"; echo APP=2 >>"$1"`);
    expect(await edited.ended).toEqual({ code: 0, output: "db.env.age is sealed anew\n" });
    expect(readFileSync(at("seen"), "utf8")).toMatch(/^tmpfs\n600 \/dev\/shm\/kb-secrets-\S+\/db\.env\n700 /);
    expect(leftovers(edited.child.pid)).toEqual([]);
    expect(await view("db.env.age")).toBe(`ROOT=${CANARY}\nAPP=2\n`);
  });

  it("writes nothing where the text is as it was, or the editor failed", async () => {
    await seal("db.env.age", `ROOT=${CANARY}\n`);
    const before = readFileSync(at("db.env.age"), "utf8");
    expect((await kb(["secrets", "edit", "db.env.age"]).ended).output).toContain("db.env.age is as it was");
    const failed = kb(["secrets", "edit", "db.env.age"], `echo APP=2 >>"$1"; exit 7`);
    expect(await failed.ended).toEqual({ code: 2, output: expect.stringContaining("the editor ended with 7") });
    expect(leftovers(failed.child.pid)).toEqual([]);
    expect(readFileSync(at("db.env.age"), "utf8")).toBe(before);
  });

  it("removes the text when it is stopped, and what a killed one left when the next starts", async () => {
    await seal("db.env.age", `ROOT=${CANARY}\n`);
    const waiting = `: >"$KB_TEST_FOLDER/begun"; while [ ! -e "$KB_TEST_FOLDER/go" ]; do sleep 0.05; done`;
    const started = async (): Promise<ReturnType<typeof kb>> => {
      rmSync(at("begun"), { force: true });
      const running = kb(["secrets", "edit", "db.env.age"], waiting);
      await expect.poll(() => existsSync(at("begun")), { timeout: 30_000 }).toBe(true);
      return running;
    };
    const stopped = await started();
    expect(leftovers(stopped.child.pid)).toHaveLength(1);
    stopped.child.kill("SIGTERM");
    await expect.poll(() => leftovers(stopped.child.pid), { timeout: 30_000 }).toEqual([]);
    const killed = await started();
    killed.child.kill("SIGKILL");
    await new Promise((done) => killed.child.once("exit", done));
    expect(leftovers(killed.child.pid)).toHaveLength(1);
    writeFileSync(at("go"), "");
    await Promise.all([stopped.ended, killed.ended]);
    await kb(["secrets", "edit", "db.env.age"]).ended;
    expect(leftovers(killed.child.pid)).toEqual([]);
  });

  it("encrypts a plain file, rotates its key, and refuses what is there already", async () => {
    writeFileSync(at("plain.env"), `A=${CANARY}\n`);
    expect((await kb(["secrets", "encrypt", "plain.env"]).ended).output).toContain("plain.env.age is sealed");
    await expect(encryptFile({ file: "plain.env", directory: folder }, undefined)).rejects.toThrow(/is there already/);
    const key = readFileSync(at("age.key"), "utf8");
    const { code, output } = await kb(["secrets", "rotate-key", "plain.env.age"]).ended;
    expect([code, output]).toEqual([0, expect.stringContaining("age.key has a new key")]);
    expect(readFileSync(at("age.key"), "utf8")).not.toBe(key);
    expect(await view("plain.env.age")).toBe(`A=${CANARY}\n`);
  });
});

describe("a new passphrase", () => {
  it.each([
    [["one", "two"], /the two passphrases differ/],
    [["", ""], /an empty passphrase protects nothing/],
    [[undefined], /no terminal/],
  ])("%j is refused", async (answers, message) => {
    const left = [...answers];
    const ask = async () => {
      const answer = left.shift();
      return answer === undefined ? undefined : new Secret(answer);
    };
    await expect(askNewPassphrase(ask)).rejects.toThrow(message);
  });
});
