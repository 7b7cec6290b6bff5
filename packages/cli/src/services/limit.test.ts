import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localInventory } from "@keybuzz/runner/testing";
import { afterAll, expect, test } from "vitest";
import { matchLimit } from "./limit.ts";

const folder = mkdtempSync(join(tmpdir(), "kb-limit-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inventory = localInventory(["db-1", "db-2", "db-3", "web"]);

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

test.each([
  ["hosts", "db-1\nweb\n", "@hosts", "db-1 web"],
  ["crlf", "# from the last run\r\n\r\n  db-2  \r\n", "@crlf", "db-2"],
  ["patterns", "db-*\n!db-2\n", "@patterns", "db-1 db-3"],
  ["more", "db-1\n", "@more,web", "db-1 web"],
  ["less", "db-1\ndb-2\n", "all,!db-3,@less,!web", "db-1 db-2"],
])("a file of hosts: %s", (name, text, limit, expected) => {
  file(name, text);
  expect(matchLimit(inventory, limit, folder).join(" ")).toBe(expected);
});

test("a file that is not there, or names nobody, is no limit at all", () => {
  expect(() => matchLimit(inventory, "@nowhere", folder)).toThrow("--limit @nowhere: the file cannot be read");
  expect(() => matchLimit(inventory, `@${file("empty", "# nobody\n\n")}`, folder)).toThrow(
    "there is no host in the file",
  );
  expect(() => matchLimit(inventory, `@${file("odd", "db-9\n")}`, folder)).toThrow(/db-9/);
});
