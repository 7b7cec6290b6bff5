import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readInventory, Secret } from "@keybuzz/runner";
import { afterAll, expect, test } from "vitest";
import { hostLines, treeLines, varLines, whyLines } from "../reporters/inventory-lines.ts";
import { makePaint } from "../reporters/style.ts";
import { viewHost, viewHosts, viewTree, viewWhy } from "./inventory-view.ts";

const folder = mkdtempSync(join(tmpdir(), "kb-vars-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const plain = makePaint(false);
const CANARY = "canary-31337";

writeFileSync(
  join(folder, "hosts.yml"),
  `all:
  vars: { color: red, api_token: ${CANARY} }
  children:
    web:
      vars: { color: green, db: { user: app, password: ${CANARY} }, key: !secret age:db.age#key, t: "{{ x }}" }
      hosts: { w1: { color: blue, evil: "\\e[31m\\nx" } }
`,
);
const inventory = await readInventory(join(folder, "hosts.yml"));
const relative = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/\S*hosts\.yml/, "hosts.yml"));

test("kb vars shows each value with its place; secrets, and what is named like one, as <secret>", () => {
  expect(relative(varLines(viewHost(inventory, "w1"), plain)).map((line) => line.replaceAll(/ {2,}/g, "  "))).toEqual([
    "color  blue  hosts.yml:6:29",
    "api_token  <secret>  hosts.yml:2:34",
    'db  {"user":"app","password":"<secret>"}  hosts.yml:5:33',
    "key  <secret> (age:db.age#key)  hosts.yml:5:85",
    "t  {{ x }} (a Jinja template, not evaluated)  hosts.yml:5:104",
    "evil  \\x1b[31m\\nx  hosts.yml:6:41",
  ]);
});

test("kb vars --why shows what counts, and below it what it overrides", () => {
  expect(relative(whyLines(viewWhy(inventory, "w1", "color"), plain))).toEqual([
    "counts      blue   host, in the inventory (w1)    hosts.yml:6:29",
    "overridden  green  group, in the inventory (web)  hosts.yml:5:22",
    "overridden  red    all, in the inventory (all)    hosts.yml:2:18",
  ]);
  expect(() => viewWhy(inventory, "w1", "colr")).toThrow(expect.objectContaining({ hint: "did you mean color?" }));
  expect(() => viewWhy(inventory, "w2", "color")).toThrow(expect.objectContaining({ hint: "did you mean w1?" }));
});

test("no view of an inventory tells a secret, resolved or not", () => {
  const host = inventory.hosts.get("w1");
  if (host === undefined) throw new Error("w1 is missing");
  const key = { ...host.vars.get("key"), value: [new Secret(CANARY)], source: host.source };
  const resolved = { ...inventory, hosts: new Map([["w1", { ...host, vars: new Map([...host.vars, ["key", key]]) }]]) };
  for (const read of [inventory, resolved]) {
    const hosts = viewHosts(read, "all");
    const lines = [
      ...treeLines(viewTree(read, hosts), plain, { vars: true }),
      ...hostLines(viewHost(read, "w1"), plain),
      JSON.stringify(hosts),
      ...whyLines(viewWhy(read, "w1", "api_token"), plain),
      ...whyLines(viewWhy(read, "w1", "db"), plain),
      JSON.stringify(viewWhy(read, "w1", "db")),
    ];
    expect(lines.join("\n")).toContain("<secret>");
    expect(lines.join("\n")).not.toContain(CANARY);
  }
});
