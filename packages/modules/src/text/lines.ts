/** One line of a file with its own ending, so that lines nobody edits keep theirs. */
export interface Line {
  readonly text: string;
  /** Empty for a last line without a newline. */
  readonly end: "\n" | "\r\n" | "";
}

/** A text as lines; an empty text has none. */
export function splitLines(text: string): readonly Line[] {
  return Array.from(text.matchAll(/([^\n]*?)(\r?\n|$)/g))
    .filter(([whole]) => whole !== "")
    .map(([, line = "", end]) => ({ text: line, end: end === "\r\n" || end === "\n" ? end : "" }));
}

/** The text of these lines. */
export function joinLines(lines: readonly Line[]): string {
  return lines.map(({ text, end }) => text + end).join("");
}

/** The line ending of a file: that of its first line. */
function endingOf(lines: readonly Line[]): "\n" | "\r\n" {
  return lines[0]?.end === "\r\n" ? "\r\n" : "\n";
}

/** Puts lines before the one at `index`; a last line without a newline gets one where something follows it. */
export function insertLines(lines: readonly Line[], index: number, texts: readonly string[]): readonly Line[] {
  if (texts.length === 0) return lines;
  const end = endingOf(lines);
  const before = lines.slice(0, index).map((line) => (line.end === "" ? { ...line, end } : line));
  return [...before, ...texts.map((text) => ({ text, end })), ...lines.slice(index)];
}

/** Puts `texts` in the place of `count` lines from `index`; the last one keeps the ending of the last line replaced. */
export function replaceLines(
  lines: readonly Line[],
  index: number,
  count: number,
  texts: readonly string[],
): readonly Line[] {
  const end = endingOf(lines);
  const lastEnd = lines[index + count - 1]?.end ?? end;
  const put = texts.map((text, at) => ({ text, end: at === texts.length - 1 ? lastEnd : end }));
  return [...lines.slice(0, index), ...put, ...lines.slice(index + count)];
}
