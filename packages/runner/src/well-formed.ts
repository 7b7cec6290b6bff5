import { Secret } from "./secret.ts";

/**
 * Where in a value a text cannot be written as UTF-8, because it holds half of a surrogate pair: it would arrive on a host
 * as another text. The path to it, or undefined where all is well. Records, lists and secrets are looked into.
 * @see https://www.unicode.org/faq/utf_bom.html#utf16-7
 */
export function findIllFormed(value: unknown): readonly string[] | undefined {
  return look(value, [], new Set());
}

function look(value: unknown, path: readonly string[], above: Set<object>): readonly string[] | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : path;
  if (value instanceof Secret) return value.reveal().isWellFormed() ? undefined : path;
  if (typeof value !== "object" || value === null || above.has(value) || !isPlain(value)) return undefined;
  above.add(value);
  for (const [key, item] of Object.entries(value)) {
    const found = key.isWellFormed() ? look(item, [...path, key], above) : path;
    if (found !== undefined) return found;
  }
  above.delete(value);
  return undefined;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
