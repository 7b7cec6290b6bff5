import { BugError, KbError } from "@keybuzz/runner";
import { safeLine, safeText } from "./safe-text.ts";
import type { Paint } from "./style.ts";

/** How much of an error is shown. */
export interface ErrorOptions {
  /** Stack traces too; a defect's is always shown. */
  readonly verbose: boolean;
}

/** An error for people: where, what was tried, what came back, what to try next. */
export function errorLines(error: unknown, paint: Paint, { verbose }: ErrorOptions): string[] {
  if (!(error instanceof KbError)) return unexpectedLines(error);
  const { host, task, where } = error.place;
  const on = [host, task].filter((part) => part !== undefined).map(safeLine);
  const at = where === undefined ? "" : paint("dim", ` (${safeLine(where)})`);
  const head = on.length === 0 ? "" : `${paint("strong", on.join("  "))}${at}: `;
  const lines = [`${head}${safeText(error.message)}${on.length === 0 ? at : ""}`];
  if (error.detail !== undefined) lines.push(...indent(safeText(error.detail).trimEnd(), paint("dim", "  | ")));
  if (error.hint !== undefined) lines.push(`  ${paint("place", "try:")} ${safeText(error.hint)}`);
  const shown = /^\s+at /m.test(error.detail ?? "");
  if (!shown && (verbose || error instanceof BugError)) lines.push(...stackLines(error));
  return lines.join("\n").split("\n");
}

function unexpectedLines(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return ["this is a defect of kb, not of your input:", ...indent(safeText(stack), "  | ")];
}

/** Where it was thrown, of the first cause: our own frames, without Node's. */
function stackLines(error: Error): string[] {
  const cause = error.cause instanceof Error ? error.cause : error;
  const frames = (cause.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && !line.includes("(node:"));
  return indent(safeText(frames.map((frame) => frame.trim()).join("\n")), "  | ");
}

/** The lines of a text, each behind a prefix; none for an empty text. */
export function indent(text: string, prefix: string): string[] {
  return text === "" ? [] : text.split("\n").map((line) => `${prefix}${line}`);
}
