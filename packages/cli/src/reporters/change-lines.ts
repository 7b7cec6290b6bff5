import { type Change, Secret, type Value } from "@keybuzz/runner";
import { safeLine, safeText } from "./safe-text.ts";
import type { Paint } from "./style.ts";

const MAX_VALUE = 60;
const MAX_SUMMARY = 100;

/** A value as a person writes it: text without quotes where that is clear, secrets masked, long ones cut. */
export function renderValue(value: Value | undefined, limit: number = MAX_VALUE): string {
  const text = typeof value === "string" && /^[\w./:@%+=,-]+$/.test(value) ? value : renderJson(value);
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

function renderJson(value: Value | undefined): string {
  if (value instanceof Secret) return String(value);
  return safeLine(JSON.stringify(value) ?? "nothing");
}

/** All changes in half a line: `mode 0644 -> 0600, owner root -> app`; fields that come or go by their name. */
export function summariseChanges(changes: readonly Change[]): string {
  const parts = changes.map(({ path, before, after }) =>
    before === undefined || after === undefined
      ? `${before === undefined ? "+" : "-"}${safeLine(path)}`
      : `${safeLine(path)} ${renderValue(before, 30)} -> ${renderValue(after, 30)}`,
  );
  const all = parts.join(", ");
  return all.length > MAX_SUMMARY ? `${all.slice(0, MAX_SUMMARY - 1)}…` : all;
}

/** One line a field, as `--diff` shows them. */
export function changeLines(changes: readonly Change[], paint: Paint): string[] {
  return changes.map(({ path, before, after }) => {
    const name = safeLine(path);
    if (before === undefined) return paint("add", `+ ${name}: ${renderValue(after)}`);
    if (after === undefined) return paint("remove", `- ${name}: ${renderValue(before)}`);
    return `~ ${name}: ${paint("remove", renderValue(before))} -> ${paint("add", renderValue(after))}`;
  });
}

/** A unified diff, coloured as everybody knows it. */
export function diffLines(diff: string, paint: Paint): string[] {
  return safeText(diff)
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (line.startsWith("+++") || line.startsWith("---")) return paint("strong", line);
      if (line.startsWith("@@")) return paint("place", line);
      if (line.startsWith("+")) return paint("add", line);
      return line.startsWith("-") ? paint("remove", line) : line;
    });
}
