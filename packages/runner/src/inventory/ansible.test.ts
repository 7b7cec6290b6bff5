import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SecretRef } from "../secrets/reference.ts";
import type { Inventory } from "./inventory.ts";
import { readInventory } from "./read.ts";

/**
 * Each folder in cases/ is an inventory, and NAME.json beside it what Debian's ansible-inventory --list made of it:
 * `cases/record.sh` records them. They are compared in hosts, the order of each group's hosts, and every value.
 */
const CASES = join(import.meta.dirname, "cases");

const SOURCES: Readonly<Record<string, string>> = {
  folder: "",
  "ini-groups": "hosts.ini",
  "ini-values": "hosts",
  levels: "hosts.yml",
  priority: "hosts.ini",
  script: "inventory.sh",
  "script-without-meta": "inventory.sh",
  "yaml-groups": "hosts.yml",
  "yaml-types": "hosts.yml",
};

interface ListedGroup {
  readonly hosts?: readonly string[];
  readonly children?: readonly string[];
  /** In `_meta`. */
  readonly hostvars?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

type Listing = Readonly<Record<string, ListedGroup>>;

test.each(Object.entries(SOURCES))("%s is read as Ansible reads it", async (name, source) => {
  const listing = JSON.parse(readFileSync(join(CASES, `${name}.json`), "utf8")) as Listing;
  const inventory = await readInventory(join(CASES, name, source));
  expect(varsOf(inventory)).toEqual(varsOfListing(listing, inventory));
  const groups = Object.keys(listing).filter((group) => group !== "_meta" && group !== "all");
  const hosts = groups.map((group) => [group, inventory.groups.get(group)?.hosts]);
  expect(Object.fromEntries(hosts)).toEqual(
    Object.fromEntries(groups.map((group) => [group, hostsOfListing(listing, group)])),
  );
  expect([...inventory.hosts.keys()].toSorted()).toEqual(hostsOfListing(listing, "all").toSorted());
});

function varsOf(inventory: Inventory): unknown {
  const hosts = [...inventory.hosts.values()].map(({ name, vars }) => {
    const values = [...vars].map(([key, { value }]) => [
      key,
      value instanceof SecretRef ? { __ansible_vault: value.location } : value,
    ]);
    return [name, Object.fromEntries(values)] as const;
  });
  return Object.fromEntries(hosts);
}

/** A host without vars is not in `_meta`. */
function varsOfListing(listing: Listing, inventory: Inventory): unknown {
  const hostvars = listing["_meta"]?.hostvars ?? {};
  return Object.fromEntries([...inventory.hosts.keys()].map((name) => [name, unmarked(hostvars[name] ?? {})]));
}

/** Ansible marks texts that it will not evaluate. */
function unmarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== "object" || value === null) return value;
  if ("__ansible_unsafe" in value) return value.__ansible_unsafe;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unmarked(part)]));
}

/** As Ansible lists a group's hosts: its own, then those of the groups below it, level by level. */
function hostsOfListing(listing: Listing, name: string): readonly string[] {
  const groups = new Set([name]);
  for (const group of groups) for (const child of listing[group]?.children ?? []) groups.add(child);
  return [...new Set([...groups].flatMap((group) => listing[group]?.hosts ?? []))];
}
