import { InventoryError } from "../errors.ts";
import { renderSource, type Source } from "./inventory.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** More names from one entry than any fleet has: a slip of the pen, which would fill the memory. */
const MOST_NAMES = 100_000;

/**
 * The names that a pattern with ranges stands for: `web[01:03]` is web01, web02, web03; `db-[a:c]` db-a, db-b, db-c;
 * a third part is a step, and the first may be left out where it is 0.
 * @throws InventoryError for a range that is none
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#adding-ranges-of-hosts
 */
export function expandRange(pattern: string, source: Source): readonly string[] {
  let names: readonly string[] = [""];
  let rest = pattern;
  for (let match = /^(.*?)\[([^\]]*)\](.*)$/.exec(rest); match !== null; match = /^(.*?)\[([^\]]*)\](.*)$/.exec(rest)) {
    const [, before = "", inside = "", after = ""] = match;
    const parts = rangeParts(inside, source);
    if (names.length * parts.length > MOST_NAMES) {
      throw new InventoryError(`${renderSource(source)}: ${pattern} stands for more than ${MOST_NAMES} hosts`);
    }
    names = names.flatMap((name) => parts.map((part) => name + before + part));
    rest = after;
  }
  return names.map((name) => name + rest);
}

function rangeParts(inside: string, source: Source): readonly string[] {
  const refuse = (hint: string): never => {
    throw new InventoryError(`${renderSource(source)}: [${inside}] is no range`, { hint });
  };
  const [first = "", last = "", stepText = "1", ...more] = inside.split(":");
  const step = Number(stepText);
  if (!inside.includes(":") || more.length > 0) return refuse("write it as [01:20] or [a:f], with a step as [01:20:2]");
  if (!/^\d+$/.test(stepText) || step === 0) return refuse("a step is a whole number from 1");
  if (/^[a-z]$/i.test(first) && /^[a-z]$/i.test(last)) {
    const letters = [...LETTERS.slice(LETTERS.indexOf(first), LETTERS.indexOf(last) + 1)];
    if (letters.length === 0) return refuse("the first is after the last");
    return letters.filter((_, index) => index % step === 0);
  }
  if (!/^\d*$/.test(first) || !/^\d+$/.test(last)) return refuse("write it as [01:20] or [a:f]");
  return numbers(first, last, step, refuse);
}

function numbers(first: string, last: string, step: number, refuse: (hint: string) => never): readonly string[] {
  const padded = first.length > 1 && first.startsWith("0");
  if (padded && first.length !== last.length) return refuse("where the first begins with 0, both have as many digits");
  const [from, to] = [Number(first), Number(last)];
  if (from > to) return refuse("the first is after the last");
  if ((to - from) / step >= MOST_NAMES) return refuse(`it stands for more than ${MOST_NAMES} hosts`);
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) =>
    String(from + index * step).padStart(padded ? first.length : 0, "0"),
  );
}
