import { type Change, Secret, unifiedDiff, type Value } from "@keybuzz/runner";
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
  const parts = changes.map((change) => {
    const { path, before, after } = change;
    if (before === undefined || after === undefined) return `${before === undefined ? "+" : "-"}${safeLine(path)}`;
    const hunks = textHunks(change);
    if (hunks === undefined) return `${safeLine(path)} ${renderValue(before, 30)} -> ${renderValue(after, 30)}`;
    const count = (sign: string): number => hunks.filter((line) => line.startsWith(sign)).length;
    return `${safeLine(path)} +${count("+")} -${count("-")} lines`;
  });
  const all = parts.join(", ");
  return all.length > MAX_SUMMARY ? `${all.slice(0, MAX_SUMMARY - 1)}…` : all;
}

/** One line a field, as `--diff` shows them; a unified diff for a text of several lines. */
export function changeLines(changes: readonly Change[], paint: Paint): string[] {
  return changes.flatMap(fieldsOf).flatMap((change) => {
    const { path, before, after } = change;
    const name = safeLine(path);
    const hunks = textHunks(change);
    if (hunks !== undefined) return [`~ ${name}:`, ...diffLines(hunks.join("\n"), paint)];
    if (before === undefined) return [paint("add", `+ ${name}: ${renderValue(after)}`)];
    if (after === undefined) return [paint("remove", `- ${name}: ${renderValue(before)}`)];
    return [`~ ${name}: ${paint("remove", renderValue(before))} -> ${paint("add", renderValue(after))}`];
  });
}

/** A record that comes or goes as a whole, field by field. */
function fieldsOf({ path, before, after }: Change): readonly Change[] {
  const missing = (value: Value | undefined): boolean => value === undefined || value === null;
  const record = missing(before) ? after : missing(after) ? before : undefined;
  if (typeof record !== "object" || record === null || record instanceof Secret || Array.isArray(record)) {
    return [{ path, before, after }];
  }
  return Object.entries(record).map(([key, value]) => ({
    path: `${path}.${key}`,
    before: record === before ? value : undefined,
    after: record === after ? value : undefined,
  }));
}

/** What differs between two texts of several lines; undefined for any other change. */
function textHunks({ path, before, after }: Change): readonly string[] | undefined {
  const isText = (value: Value | undefined): value is string => typeof value === "string" && value.includes("\n");
  if (!isText(before) && !isText(after)) return undefined;
  const textOf = (value: Value | undefined): string | null => (typeof value === "string" ? value : null);
  const [, , ...hunks] = unifiedDiff(path, textOf(before), textOf(after)).trimEnd().split("\n");
  return hunks;
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
