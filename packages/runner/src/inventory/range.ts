import { InventoryError } from "../errors.ts";
import { renderSource, type Source } from "./inventory.ts";

/**
 * The names that a pattern with ranges stands for: `web[01:03]` is web01, web02, web03; `db-[a:c]` db-a, db-b, db-c;
 * a third part is a step.
 * @throws InventoryError for a range that is none
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#adding-ranges-of-hosts
 */
export function expandRange(pattern: string, source: Source): readonly string[] {
  const match = /^(.*?)\[([^\]]*)\](.*)$/.exec(pattern);
  if (match === null) return [pattern];
  const [, before = "", inside = "", after = ""] = match;
  const [first = "", last = "", stepText = "1"] = inside.split(":");
  const step = Number(stepText);
  const steps = Number.isInteger(step) && step > 0 && inside.includes(":");
  const names = !steps ? [] : /^\d+$/.test(first + last) ? numbers(first, last, step) : letters(first, last, step);
  if (names.length === 0) {
    throw new InventoryError(`${renderSource(source)}: [${inside}] is no range`, {
      hint: "write it as [01:20] or [a:f]",
    });
  }
  return names.flatMap((name) => expandRange(`${before}${name}${after}`, source));
}

function numbers(first: string, last: string, step: number): string[] {
  const names = [];
  for (let n = Number(first); n <= Number(last); n += step) names.push(String(n).padStart(first.length, "0"));
  return names;
}

function letters(first: string, last: string, step: number): string[] {
  if (!/^[a-z]$/i.test(first) || !/^[a-z]$/i.test(last)) return [];
  const names = [];
  for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code += step) names.push(String.fromCharCode(code));
  return names;
}
