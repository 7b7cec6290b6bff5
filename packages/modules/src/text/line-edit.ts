import { insertLines, joinLines, type Line, replaceLines, splitLines } from "./lines.ts";

/** Where a new line goes: at an end of the file, or beside the last line that matches. */
export type Place = { readonly at: "start" | "end" } | { readonly before: RegExp } | { readonly after: RegExp };

/**
 * Makes a line present: in place of the last line that `pattern` matches, or else, unless the line is there already, at
 * its place (at the end where nothing matches that).
 */
export function setLine(text: string, line: string, pattern: RegExp | undefined, place: Place): string {
  const lines = splitLines(text);
  const at = pattern === undefined ? -1 : lastMatch(lines, pattern);
  if (at >= 0) return lines[at]?.text === line ? text : joinLines(replaceLines(lines, at, 1, [line]));
  if (lines.some((one) => one.text === line)) return text;
  return joinLines(insertLines(lines, indexOf(lines, place), [line]));
}

/** Removes all lines that `pattern` matches, or that equal `line`. */
export function removeLines(text: string, line: string | undefined, pattern: RegExp | undefined): string {
  return joinLines(
    splitLines(text).filter((one) => !(pattern === undefined ? one.text === line : pattern.test(one.text))),
  );
}

/** Index that a new line at this place gets. */
export function indexOf(lines: readonly Line[], place: Place): number {
  if ("at" in place) return place.at === "start" ? 0 : lines.length;
  if ("before" in place) {
    const found = lastMatch(lines, place.before);
    return found < 0 ? lines.length : found;
  }
  const found = lastMatch(lines, place.after);
  return found < 0 ? lines.length : found + 1;
}

function lastMatch(lines: readonly Line[], pattern: RegExp): number {
  return lines.findLastIndex(({ text }) => pattern.test(text));
}
