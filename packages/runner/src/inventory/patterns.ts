import { InventoryError } from "../errors.ts";
import { type Inventory, suggest } from "./inventory.ts";

/**
 * The hosts that a pattern names, in the order of the inventory: host and group names, `all`, globs (`maria-*`),
 * `~regex`, a slice of a group (`mariadb[0]`, `mariadb[0:2]`), joined by `,` or `:`; `&` keeps only those also in, `!`
 * leaves out.
 * @throws InventoryError for a name that is none, with the nearest
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html
 */
export function matchHosts(inventory: Inventory, pattern: string): readonly string[] {
  const parts = splitPattern(pattern);
  const plain = parts.filter((part) => !part.startsWith("&") && !part.startsWith("!"));
  const chosen = new Set(
    plain.length === 0 ? inventory.hosts.keys() : plain.flatMap((part) => matchOne(inventory, part)),
  );
  for (const part of parts) {
    if (part.startsWith("&")) {
      const also = new Set(matchOne(inventory, part.slice(1)));
      for (const host of chosen) if (!also.has(host)) chosen.delete(host);
    } else if (part.startsWith("!")) {
      for (const host of matchOne(inventory, part.slice(1))) chosen.delete(host);
    }
  }
  return [...inventory.hosts.keys()].filter((host) => chosen.has(host));
}

/** Splits at commas and colons, but not inside `[0:2]`, and not in a regular expression. */
function splitPattern(pattern: string): readonly string[] {
  const parts = pattern.startsWith("~") ? pattern.split(",") : pattern.split(/[,:](?![^[]*\])/);
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function matchOne(inventory: Inventory, part: string): readonly string[] {
  if (part.startsWith("~")) {
    const expression = toExpression(part.slice(1));
    return namesWhere(inventory, (name) => expression.test(name));
  }
  const slice = /^(.+)\[(\d+)(?::(\d*))?\]$/.exec(part);
  if (slice !== null) {
    const [text, name = "", first = "0", last] = slice;
    const members = matchOne(inventory, name);
    // As Ansible: both ends count.
    const end = !text.includes(":")
      ? Number(first)
      : last === "" || last === undefined
        ? members.length - 1
        : Number(last);
    return members.slice(Number(first), end + 1);
  }
  if (/[*?]/.test(part)) {
    const expression = new RegExp(
      `^${part
        .replace(/[.+^${}()|\\[\]]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".")}$`,
    );
    return namesWhere(inventory, (name) => expression.test(name));
  }
  const group = inventory.groups.get(part);
  if (group !== undefined) return group.hosts;
  if (inventory.hosts.has(part)) return [part];
  throw new InventoryError(`no host or group "${part}" in ${inventory.file}`, {
    hint: suggest(part, [...inventory.hosts.keys(), ...inventory.groups.keys()]),
  });
}

function namesWhere(inventory: Inventory, fits: (name: string) => boolean): readonly string[] {
  const groups = [...inventory.groups.values()].filter((group) => group.name !== "all" && fits(group.name));
  return [...[...inventory.hosts.keys()].filter(fits), ...groups.flatMap((group) => group.hosts)];
}

function toExpression(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new InventoryError(`~${text} is no regular expression`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
