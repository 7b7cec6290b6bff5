import { InventoryError } from "../errors.ts";
import { namesFitting } from "./bounded-regex.ts";
import { globTest, isGlob } from "./glob.ts";
import { type Inventory, suggest } from "./inventory.ts";

/**
 * The hosts that a pattern names, in the order of the inventory: host and group names, `all`, globs (`maria-*`),
 * `~regex`, a slice (`mariadb[0]`, `mariadb[-1]`, `mariadb[0:2]`, both ends counting), joined by `,` or `:`; `&` keeps
 * only those also in, `!` leaves out. Wherever they stand, `&` counts after the names, and `!` last.
 * @throws InventoryError for a name, glob or slice that is none, with the nearest
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html
 */
export function matchHosts(inventory: Inventory, pattern: string): readonly string[] {
  const parts = splitPattern(inventory, pattern);
  const plain = parts.filter((part) => !/^[&!]/.test(part));
  if (parts.length === 0) {
    throw new InventoryError("the pattern of hosts is empty", { hint: "all, a group, a host, maria-*, mariadb[0]" });
  }
  const matched = (mark: string) => parts.filter((part) => part.startsWith(mark)).map((part) => part.slice(1));
  const chosen = new Set((plain.length === 0 ? ["all"] : plain).flatMap((part) => matchOne(inventory, part)));
  const also = matched("&").map((part) => new Set(matchOne(inventory, part)));
  const not = new Set(matched("!").flatMap((part) => matchOne(inventory, part)));
  const isMatch = (host: string) => chosen.has(host) && also.every((hosts) => hosts.has(host)) && !not.has(host);
  return [...inventory.hosts.keys()].filter(isMatch);
}

/** A comma separates wherever it stands; a colon where it is in neither brackets, nor `(?:`, nor a host's name. */
function splitPattern(inventory: Inventory, pattern: string): readonly string[] {
  const parts = pattern.includes(",")
    ? pattern.split(",")
    : inventory.hosts.has(pattern)
      ? [pattern]
      : (pattern.match(/(?:\(\?:|[^\s:[\]]|\[[^\]]*\])+/g) ?? [pattern]);
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function matchOne(inventory: Inventory, part: string): readonly string[] {
  if (inventory.hosts.has(part)) return [part];
  const slice = part.startsWith("~") ? null : /^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/.exec(part);
  if (slice === null) return matchNames(inventory, part);
  const [, name = "", index, first, last] = slice;
  const members = matchNames(inventory, name);
  const sliced =
    index !== undefined
      ? members.slice(Number(index)).slice(0, 1)
      : members.slice(Number(first), last === "" || last === undefined ? undefined : Number(last) + 1);
  if (sliced.length > 0 && Number(index ?? 0) >= -members.length) return sliced;
  throw new InventoryError(`${part} names no host: ${name} has ${members.length}`, {
    hint: `the first is ${name}[0], the last ${name}[-1]`,
  });
}

function matchNames(inventory: Inventory, part: string): readonly string[] {
  const group = inventory.groups.get(part);
  if (group !== undefined) return group.hosts;
  const hosts = [...inventory.hosts.keys()];
  const groups = [...inventory.groups.keys()];
  if (part === "") throw new InventoryError("& and ! are followed by a host or a group");
  if (part.startsWith("~")) return found(inventory, part, namesFitting(part.slice(1), [...groups, ...hosts]));
  if (isGlob(part)) return found(inventory, part, [...groups, ...hosts].filter(globTest(part)));
  throw new InventoryError(`no host or group "${part}" in ${inventory.file}`, {
    hint: suggest(part, [...groups, ...hosts]),
  });
}

/** Hosts of the groups among the names, and the hosts among them. */
function found(inventory: Inventory, part: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) {
    throw new InventoryError(`no host or group in ${inventory.file} fits ${part}`, {
      hint: part.startsWith("~")
        ? "an expression has to fit from a name's beginning: ~.*-01"
        : "kb inventory shows them all",
    });
  }
  return [...new Set(names.flatMap((name) => inventory.groups.get(name)?.hosts ?? [name]))];
}
