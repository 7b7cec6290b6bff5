import { insertLines, joinLines, type Line, replaceLines, splitLines } from "./lines.ts";

/** `-` before a key of sysctl.d(5) tells that a failure to set it is no error. */
const SETTING = /^\s*-?\s*([^\s=#;][^\s=]*)\s*=\s*(.*?)\s*$/;

/** A sysctl key in its dotted form, so that both ways to write one compare as equal. */
export function dottedKey(key: string): string {
  if (/[./]/.exec(key)?.[0] !== "/") return key;
  return key.replace(/[./]/g, (separator) => (separator === "/" ? "." : "/"));
}

/** The value that a file in the form of sysctl.d(5) gives a key: the last one; `undefined` where it has none. */
export function findSetting(text: string, key: string): string | undefined {
  const values = splitLines(text).flatMap((line) => (keyIn(line) === dottedKey(key) ? [valueIn(line)] : []));
  return values.at(-1);
}

/** Gives a key this value, by one line: the last one that it has, or a new one at the end. `null` removes the key. */
export function setSetting(text: string, key: string, value: string | null): string {
  const lines = splitLines(text);
  const mine = lines.flatMap((line, index) => (keyIn(line) === dottedKey(key) ? [index] : []));
  const last = mine.at(-1);
  const kept = (removed: readonly number[]): readonly Line[] => lines.filter((_, index) => !removed.includes(index));
  if (value === null) return joinLines(kept(mine));
  if (last === undefined) return joinLines(insertLines(lines, lines.length, [`${key} = ${value}`]));
  const others = mine.slice(0, -1);
  const place = last - others.length;
  const line = lines[last];
  if (line !== undefined && valueIn(line) === value) return joinLines(kept(others));
  return joinLines(replaceLines(kept(others), place, 1, [`${key} = ${value}`]));
}

function keyIn(line: Line): string | undefined {
  const key = SETTING.exec(line.text)?.[1];
  return key === undefined ? undefined : dottedKey(key);
}

function valueIn(line: Line): string {
  return (SETTING.exec(line.text)?.[2] ?? "").replace(/\s+/g, " ");
}
