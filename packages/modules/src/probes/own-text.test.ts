import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Output } from "@keybuzz/runner";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fileText, textFile } from "./file-text.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), "kb-own-text-"));
  mkdirSync(join(root, "real"));
  writeFileSync(join(root, "real/file"), "precious\nno end");
  symlinkSync("real", join(root, "ours"));
  mkdirSync(join(root, "shared"));
  symlinkSync(join(root, "real"), join(root, "shared/led"));
  symlinkSync(join(root, "real/file"), join(root, "shared/file"));
  chmodSync(join(root, "shared"), 0o777);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function answer(probe: typeof textFile | typeof fileText, path: string): unknown {
  const asked = probe(join(root, path));
  const outputs = asked.questions.map((question): Output => {
    const { script } = question.kind === "batch" ? question.batch.render([question.key]) : question;
    const { stdout, stderr, status } = spawnSync("sh", { input: script.text, encoding: "utf8" });
    return { stdout, stderr, exitCode: status ?? 255 };
  });
  return asked.parse(outputs);
}

it("reads a file to be edited, also behind links that nobody else can have put there", () => {
  expect(answer(textFile, "real/file")).toMatchObject({ text: "precious\nno end", mode: "0644" });
  expect(answer(textFile, "ours/file")).toMatchObject({ text: "precious\nno end" });
  expect(answer(textFile, "real/none")).toBeNull();
  expect(answer(textFile, "none/none")).toBeNull();
});

it("does not read for an edit what somebody else's link leads to: it would be written to where they can read it", () => {
  expect(() => answer(textFile, "shared/led/file")).toThrow(/symbolic link that other users could have put there/);
  expect(() => answer(textFile, "shared/file")).toThrow(/is a symbolic link/);
  expect(answer(fileText, "shared/led/file")).toBe("precious\nno end");
});
