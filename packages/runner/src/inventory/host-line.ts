/** A word of a line, and where in it the word begins. */
export interface PlacedWord {
  readonly text: string;
  /** From 0. */
  readonly start: number;
}

const PART =
  /\\(?<escaped>.)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\.)*)"|(?<comment>#.*)|(?<space>[ \t]+)|(?<plain>[^\\'"# \t]+)/sy;

/**
 * Splits a host's line of an INI inventory into words, as Python's `shlex.split(line, comments=True)` does for Ansible:
 * quotes and backslashes group and escape, and a `#` outside of quotes ends the line, within a word too.
 * Undefined where a quotation has no end.
 * @see https://docs.python.org/3/library/shlex.html
 */
export function splitHostLine(line: string): readonly PlacedWord[] | undefined {
  const words: PlacedWord[] = [];
  let word: { text: string; start: number } | undefined;
  const pattern = new RegExp(PART);
  while (pattern.lastIndex < line.length) {
    const start = pattern.lastIndex;
    const groups = pattern.exec(line)?.groups;
    if (groups === undefined) return undefined;
    if (groups["comment"] !== undefined) break;
    if (groups["space"] !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= { text: "", start };
    const double = groups["double"]?.replace(/\\(["\\])/g, "$1");
    word.text += groups["escaped"] ?? groups["single"] ?? double ?? groups["plain"] ?? "";
  }
  if (word !== undefined) words.push(word);
  return words;
}
