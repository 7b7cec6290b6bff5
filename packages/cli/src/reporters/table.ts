import { safeLine } from "./safe-text.ts";
import type { Paint, Tone } from "./style.ts";

/** One cell, with its tone. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

/** Rows below a header, columns as wide as their widest cell; columns of numbers are flush right. */
export function renderTable(columns: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const header = columns.map((text): Cell => ({ text, tone: "dim" }));
  const lines = [header, ...rows].map((row) => row.map((cell) => ({ ...cell, text: safeLine(cell.text) })));
  const count = Math.max(...lines.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...lines.map((row) => width(row[column]?.text ?? ""))),
  );
  const numeric = widths.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^\d*$/.test(row[column]?.text ?? "")),
  );
  return lines.map((row) =>
    row
      .map(({ text, tone = "plain" }, column) => {
        const gap = " ".repeat((widths[column] ?? 0) - width(text));
        return numeric[column] ? gap + paint(tone, text) : paint(tone, text) + gap;
      })
      .join("  ")
      .trimEnd(),
  );
}

const graphemes = new Intl.Segmenter();

/** Columns on a terminal, for text without wide East Asian characters. */
export function width(text: string): number {
  // Plain ASCII, which nearly everything is, is measured without a segmenter.
  return /^[\x20-\x7e]*$/.test(text) ? text.length : [...graphemes.segment(text)].length;
}
