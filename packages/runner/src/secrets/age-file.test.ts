import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { readAgeFile, sealed } from "./age-file.ts";

let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-age-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a caller does: write what was made. */
async function write(text: string): Promise<string> {
  const file = await readAgeFile(at("s.age"), at("key"));
  if (!file.key.exists) writeFileSync(at("key"), file.key.content.reveal(), { mode: 0o600 });
  const content = await sealed(file, new Secret(text));
  writeFileSync(at("s.age"), content);
  return content;
}

it("seals a text that only its key opens, and leaves an unchanged one as it is", async () => {
  const first = await write("A=1\n");
  expect(first).toContain("BEGIN AGE ENCRYPTED FILE");
  expect(first).not.toContain("A=1");
  expect((await readAgeFile(at("s.age"), at("key"))).text?.reveal()).toBe("A=1\n");
  expect(await write("A=1\n")).toBe(first);
  expect(await write("A=2\n")).not.toBe(first);
  expect((await readAgeFile(at("s.age"), at("key"))).text?.reveal()).toBe("A=2\n");
});

it("writes nothing itself, and says whether the key is new", async () => {
  const file = await readAgeFile(at("s.age"), at("key"));
  expect(file).toMatchObject({ sealed: undefined, text: undefined, key: { exists: false } });
  expect(() => readFileSync(at("key"))).toThrow();
});

it("refuses a sealed file without its key", async () => {
  await write("A=1\n");
  rmSync(at("key"));
  await expect(readAgeFile(at("s.age"), at("key"))).rejects.toThrow(/its key .*key is missing/);
});

it("refuses another's key, and a damaged file", async () => {
  await write("A=1\n");
  writeFileSync(at("other"), (await readAgeFile(at("none"), at("other"))).key.content.reveal(), { mode: 0o600 });
  await expect(readAgeFile(at("s.age"), at("other"))).rejects.toThrow(/does not open/);
  writeFileSync(at("s.age"), readFileSync(at("s.age"), "utf8").slice(0, -60));
  await expect(readAgeFile(at("s.age"), at("key"))).rejects.toThrow(/does not open/);
});

it("refuses a key that others may read, and a file that holds none", async () => {
  await write("A=1\n");
  chmodSync(at("key"), 0o644);
  await expect(readAgeFile(at("s.age"), at("key"))).rejects.toThrow(/can be read by others \(mode 644\)/);
  writeFileSync(at("empty"), "# nothing\n", { mode: 0o600 });
  await expect(readAgeFile(at("s.age"), at("empty"))).rejects.toThrow(/holds no identity/);
});
