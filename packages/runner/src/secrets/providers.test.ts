import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { runProgram } from "../transport/program.ts";
import { lockForNew, writeSealed } from "./age-store.ts";
import { commandProvider } from "./command.ts";
import { fieldsOf, pick } from "./document.ts";
import { parseSecretRef } from "./reference.ts";
import { secretResolver } from "./resolve.ts";

const source = { file: "inventories/hosts.yml", line: 7, column: 12 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function resolve(reference: string): Promise<string> {
  return (await secretResolver({ directory: folder })(parseSecretRef(reference, source))).reveal();
}

describe("references", () => {
  it.each([
    ["age:credentials/db.age#root", "age", "credentials/db.age", "root"],
    ["age:db.age", "age", "db.age", undefined],
    ["env:DB_PASSWORD", "env", "DB_PASSWORD", undefined],
    ["vault:kv/data/app?version=2#a.b", "vault", "kv/data/app?version=2", "a.b"],
    ["ansible-vault:x.yml#k", "ansible-vault", "x.yml", "k"],
    ["command:[pass, show, db/root]", "command", '["pass","show","db/root"]', undefined],
    ['command:["a b", \'c,d\', "e\\"f"]#key', "command", '["a b","c,d","e\\"f"]', "key"],
  ])("%s", (text, provider, location, key) => {
    expect(parseSecretRef(text, source)).toMatchObject({ provider, location, key });
    expect(String(parseSecretRef(text, source))).toBe("<secret>");
    expect(JSON.stringify({ x: parseSecretRef(text, source) })).toBe('{"x":"<secret>"}');
  });

  it.each([
    ["hunter2", /a reference begins with the word of a provider/],
    ["agee:x", /there is no provider "agee"/, "did you mean age?"],
    ["age:", /something is missing/],
    ["age:x#", /something is missing/],
    ["env:not a name", /no name of an environment variable/],
    ["command:pass show", /a command is a list; no shell ever sees it/],
    ["command:[a", /a command is a list/],
    ["command:[]", /is no list/],
    ["command:[a, $(id)", /a command is a list/],
    ["command:[{a: 1}]", /is no list/],
  ])("%s is refused with its place", (text, message, hint = expect.any(String)) => {
    const matching = expect.objectContaining({ message: expect.stringMatching(message), hint });
    expect(() => parseSecretRef(text, source)).toThrow(matching);
    expect(() => parseSecretRef(text, source)).toThrow(/^inventories\/hosts\.yml:7:12: /);
  });
});

describe("the environment", () => {
  it("gives a secret once to everybody here, and to no child", async () => {
    process.env["KB_TEST_SECRET"] = "canary-env";
    expect(await resolve("env:KB_TEST_SECRET")).toBe("canary-env");
    expect(process.env["KB_TEST_SECRET"]).toBeUndefined();
    const child = await runProgram(["/usr/bin/env"], { timeoutMs: 20_000 });
    expect(child.stdout).not.toContain("canary-env");
    expect(await resolve("env:KB_TEST_SECRET")).toBe("canary-env");
  });

  it("that lacks it is told with file, line and column", async () => {
    await expect(resolve("env:KB_TEST_MISSING")).rejects.toThrow(
      "inventories/hosts.yml:7:12: env:KB_TEST_MISSING: the environment variable KB_TEST_MISSING is not set",
    );
  });
});

describe("programs", () => {
  it("print a secret, less one newline, and no shell sees their arguments", async () => {
    expect(await resolve('command:["printf", "canary\\n\\n"]')).toBe("canary\n");
    expect(await resolve('command:["echo", "$(id) `id` ; id"]')).toBe("$(id) `id` ; id");
    expect(await resolve('command:["echo", "{\\"a\\": {\\"b\\": \\"canary\\"}}"]#a.b')).toBe("canary");
  });

  it("that fail are told with what they say, but not with what they print", async () => {
    const script = join(folder, "failing");
    writeFileSync(script, "#!/bin/sh\necho canary\necho 'store is locked' >&2\nexit 3\n");
    chmodSync(script, 0o755);
    const error: unknown = await resolve(`command:[${script}]`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ detail: "exit 3\nstore is locked" });
    expect(JSON.stringify(error)).not.toContain("canary");
  });

  it("that are not there, say nothing, or do not end, are refused", async () => {
    await expect(resolve("command:[/nonexistent/pass]")).rejects.toMatchObject({
      detail: expect.stringContaining("ENOENT"),
    });
    await expect(resolve("command:[true]")).rejects.toThrow(/printed nothing: true/);
    const hanging = commandProvider(200).read('["sleep","60"]');
    await expect(hanging).rejects.toMatchObject({ detail: "no end within 0.2 s" });
  });
});

describe("files sealed with age", () => {
  it("give a value by its name, and are read once", async () => {
    const path = join(folder, "db.age");
    const { lock, opener, madeKey } = await lockForNew(path, { directory: folder });
    expect(madeKey).toBe(join(folder, "age.key"));
    await writeSealed(path, new Secret("ROOT=canary-root\nAPP='canary app'\n"), lock, opener);
    const resolver = secretResolver({ directory: folder });
    expect((await resolver(parseSecretRef("age:db.age#ROOT", source))).reveal()).toBe("canary-root");
    rmSync(path);
    expect((await resolver(parseSecretRef("age:db.age#APP", source))).reveal()).toBe("canary app");
    await expect(resolver(parseSecretRef("age:db.age#ROTO", source))).rejects.toMatchObject({
      message: 'inventories/hosts.yml:7:12: age:db.age#ROTO: age:db.age has no value "ROTO"',
      hint: "did you mean ROOT?",
    });
  });

  it("that are not there are told", async () => {
    await expect(resolve("age:none.age")).rejects.toThrow(/there is no .*none\.age/);
  });
});

describe("names in a text", () => {
  it.each([
    ["A=1\n# note\nexport B='two words'\n", { A: "1", B: "two words" }],
    [
      "db:\n  root: canary\n  port: 0755\nlist: [x, y]\n",
      { "db.root": "canary", "db.port": "493", "list.0": "x", "list.1": "y" },
    ],
    ['{"a": "b", "n": 1.5e3}', { a: "b", n: "1500" }],
  ])("%j", (text, expected) => {
    const fields = [...fieldsOf(new Secret(text), "x")].map(([name, value]) => [name, value.reveal()]);
    expect(Object.fromEntries(fields)).toEqual(expected);
  });

  it("that it does not have are refused without telling the text", () => {
    const text = new Secret("canary: [unclosed");
    const attempt = (): unknown => pick({ kind: "text", text }, "a", "age:x.age");
    expect(attempt).toThrow("age:x.age has no names in it");
    expect(attempt).not.toThrow(/canary/);
  });
});
