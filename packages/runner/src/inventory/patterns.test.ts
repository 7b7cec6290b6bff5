import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { InventoryBuilder } from "./builder.ts";
import { globTest } from "./glob.ts";
import { addIni } from "./ini.ts";
import { matchHosts } from "./patterns.ts";

const CASES = join(import.meta.dirname, "cases");
const builder = new InventoryBuilder("patterns.ini");
addIni("patterns.ini", readFileSync(join(CASES, "patterns.ini"), "utf8"), builder);
const inventory = builder.build();
const order = [...inventory.hosts.keys()];

describe("patterns of hosts name the hosts that Ansible finds", () => {
  // Recorded by cases/record-patterns.py; Ansible's order is the pattern's, here it is the inventory's.
  const recorded = JSON.parse(readFileSync(join(CASES, "patterns.json"), "utf8")) as Readonly<Record<string, string[]>>;

  test.each(Object.entries(recorded))("%s", (pattern, hosts) => {
    const expected = [...new Set(hosts)].toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
    expect(matchHosts(inventory, pattern)).toEqual(expected);
  });
});

describe("patterns that name nothing", () => {
  // Ansible warns of them and goes on; a slip of the pen in an exclusion would then reach the hosts it was to spare.
  it.each([
    ["wbe", 'no host or group "wbe" in patterns.ini', "did you mean web?"],
    ["all:!wbe", 'no host or group "wbe" in patterns.ini', "did you mean web?"],
    ["wbe*", "no host or group in patterns.ini fits wbe*", "kb inventory shows them all"],
    ["~-a$", "no host or group in patterns.ini fits ~-a$", "an expression has to fit from a name's beginning: ~.*-01"],
    ["web[4]", "web[4] names no host: web has 4", "the first is web[0], the last web[-1]"],
    ["web[-5]", "web[-5] names no host: web has 4", "the first is web[0], the last web[-1]"],
    ["~we(b", "~we(b is no regular expression", undefined],
    ["", "the pattern of hosts is empty", "all, a group, a host, maria-*, mariadb[0]"],
    ["web:&", "& and ! are followed by a host or a group", undefined],
  ])("%j", (pattern, message, hint) => {
    expect(() => matchHosts(inventory, pattern)).toThrow(expect.objectContaining({ message, hint }));
  });

  it("stop an expression that backtracks without end", () => {
    const source = { file: "hosts", line: 0, column: 0 };
    const long = new InventoryBuilder("hosts");
    long.host(`${"a".repeat(60)}b`, source, "all");
    const started = performance.now();
    expect(() => matchHosts(long.build(), "~(a+)+$")).toThrow(/takes too long: more than 1 s/);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("globs", () => {
  it.each([
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-b-c-", false],
    ["[]x]", "]", true],
    ["[!]x]", "]", false],
    ["[a-c]?", "b1", true],
    ["[a-c]?", "d1", false],
    ["[", "[", true],
    ["**", "", true],
    ["a.c", "abc", false],
  ])("%s against %s", (pattern, name, fits) => {
    expect(globTest(pattern)(name)).toBe(fits);
  });

  it("agree with the regular expression that they stand for", () => {
    const piece = fc.constantFrom("a", "b", "*", "?", "[ab]", "[!a]");
    const patterns = fc.array(piece, { maxLength: 6 });
    const names = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(patterns, names, (parts, name) => {
        const expression = parts.join("").replaceAll("*", ".*").replaceAll("?", ".").replaceAll("[!", "[^");
        expect(globTest(parts.join(""))(name)).toBe(new RegExp(`^${expression}$`).test(name));
      }),
    );
  });

  it("take no time for many stars", () => {
    const started = performance.now();
    expect(globTest(`${"a*".repeat(60)}b`)("a".repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
