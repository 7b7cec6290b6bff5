import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { newIdentity, readAgeFile, sealed } from "./age-file.ts";
import { lockForNew, openForEditing, rotate, writeSealed } from "./age-store.ts";

let folder: string;
const at = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(at(name), "utf8");
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function seal(name: string, clear: string): Promise<void> {
  const { lock, opener } = await lockForNew(at(name), {});
  await writeSealed(at(name), new Secret(clear), lock, opener);
}

async function open(name: string, keyFile?: string): Promise<string> {
  return (await openForEditing(at(name), keyFile === undefined ? {} : { keyFile })).text.reveal();
}

describe("a new key", () => {
  it("replaces the old one, once every file beside it is sealed with it", async () => {
    await seal("a.age", "A=1\n");
    await seal("b.age", "B=2\n");
    const old = text("age.key");
    const first = await rotate([at("a.age")], { kind: "new-key" }, {});
    expect(first).toMatchObject({ keyFile: at("age.key"), stillOld: [at("b.age")] });
    // Both are there: the file that was left out still opens.
    expect([await open("a.age"), await open("b.age")]).toEqual(["A=1\n", "B=2\n"]);
    expect((await rotate([at("a.age"), at("b.age")], { kind: "new-key" }, {})).stillOld).toEqual([]);
    expect([await open("a.age"), await open("b.age")]).toEqual(["A=1\n", "B=2\n"]);
    expect(text("age.key").match(/AGE-SECRET-KEY-/g)).toHaveLength(1);
    writeFileSync(at("old.key"), old, { mode: 0o600 });
    await expect(open("a.age", at("old.key"))).rejects.toThrow(/does not open/);
    expect(statSync(at("age.key")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).toSorted()).toEqual(["a.age", "age.key", "b.age", "old.key"]);
  });

  it("is not made where one of the files does not open", async () => {
    await seal("a.age", "A=1\n");
    writeFileSync(at("b.age"), text("a.age").slice(0, -80));
    const before = [text("a.age"), text("age.key")];
    await expect(rotate([at("a.age"), at("b.age")], { kind: "new-key" }, {})).rejects.toThrow(/b\.age/);
    expect([text("a.age"), text("age.key")]).toEqual(before);
  });
});

describe("recipients", () => {
  it("can all open the file, also after it was edited, and after the role of the credentials wrote it", async () => {
    await seal("a.age", "A=1\n");
    const [, own = ""] = /public key: (age1\S+)/.exec(text("age.key")) ?? [];
    const other = await newIdentity();
    writeFileSync(at("other.key"), other.content, { mode: 0o600 });
    await rotate([at("a.age")], { kind: "recipients", recipients: [own, other.recipient] }, {});
    expect(await open("a.age", at("other.key"))).toBe("A=1\n");
    const opened = await openForEditing(at("a.age"), {});
    await writeSealed(at("a.age"), new Secret("A=2\n"), opened.lock, opened.opener);
    expect(await open("a.age", at("other.key"))).toBe("A=2\n");
    writeFileSync(at("a.age"), await sealed(await readAgeFile(at("a.age"), at("age.key")), new Secret("A=3\n")));
    expect(await open("a.age", at("other.key"))).toBe("A=3\n");
  });

  it("have to include yourself: what you could not open is not written", async () => {
    await seal("a.age", "A=1\n");
    const before = text("a.age");
    const { recipient } = await newIdentity();
    const attempt = rotate([at("a.age")], { kind: "recipients", recipients: [recipient] }, {});
    await expect(attempt).rejects.toThrow(/left as it is: sealed like that, you could not open it yourself/);
    expect(text("a.age")).toBe(before);
    expect(existsSync(at("a.age.recipients"))).toBe(false);
    const wrong = rotate([at("a.age")], { kind: "recipients", recipients: ["AGE1X"] }, {});
    await expect(wrong).rejects.toThrow(/no public key of age/);
  });
});

describe("a passphrase", () => {
  it("opens the file afterwards, and the key no more", async () => {
    await seal("a.age", "A=1\n");
    await rotate([at("a.age")], { kind: "passphrase", passphrase: new Secret("three little words") }, {});
    await expect(open("a.age")).rejects.toThrow(/sealed with a passphrase, and there is no terminal/);
    const ask = async () => new Secret("three little words");
    expect((await openForEditing(at("a.age"), { ask })).text.reveal()).toBe("A=1\n");
  });
});

describe("writing", () => {
  it("leaves nothing behind where it fails", async () => {
    await seal("a.age", "A=1\n");
    const opened = await openForEditing(at("a.age"), {});
    mkdirSync(at("full"));
    await expect(writeSealed(at("none/a.age"), opened.text, opened.lock, opened.opener)).rejects.toThrow(
      /cannot write/,
    );
    expect(readdirSync(at("full"))).toEqual([]);
  });

  it("keeps the mode of the file", async () => {
    await seal("a.age", "A=1\n");
    chmodSync(at("a.age"), 0o640);
    const opened = await openForEditing(at("a.age"), {});
    await writeSealed(at("a.age"), new Secret("A=2\n"), opened.lock, opened.opener);
    expect(statSync(at("a.age")).mode & 0o777).toBe(0o640);
  });
});
