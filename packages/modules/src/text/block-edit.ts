import { indexOf, type Place } from "./line-edit.ts";
import { insertLines, joinLines, type Line, replaceLines, splitLines } from "./lines.ts";

/** The lines that a block stands between. */
export interface Markers {
  readonly begin: string;
  readonly end: string;
}

/**
 * Puts a block between its markers, or at its place where there are none yet; `null` removes it with its markers.
 * @throws Error where the markers do not come as one pair
 */
export function setBlock(text: string, block: string | null, markers: Markers, place: Place): string {
  const lines = splitLines(text);
  const found = findBlock(lines, markers);
  const wanted = block === null ? [] : [markers.begin, ...blockLines(block), markers.end];
  if (found !== undefined) return joinLines(replaceLines(lines, found.index, found.count, wanted));
  return block === null ? text : joinLines(insertLines(lines, indexOf(lines, place), wanted));
}

function blockLines(block: string): readonly string[] {
  return splitLines(block).map(({ text }) => text);
}

function findBlock(lines: readonly Line[], markers: Markers): { index: number; count: number } | undefined {
  const begins = numbersOf(lines, markers.begin);
  const ends = numbersOf(lines, markers.end);
  const [begin, end] = [begins[0], ends[0]];
  if (begin === undefined && end === undefined) return undefined;
  if (begin === undefined || end === undefined || begins.length > 1 || ends.length > 1 || end < begin) {
    const told = (numbers: readonly number[]): string => numbers.map((number) => number + 1).join(", ") || "none";
    throw new Error(
      `the markers are no pair: "${markers.begin}" in line ${told(begins)}, "${markers.end}" in line ${told(ends)}`,
    );
  }
  return { index: begin, count: end - begin + 1 };
}

function numbersOf(lines: readonly Line[], text: string): readonly number[] {
  return lines.flatMap((line, index) => (line.text === text ? [index] : []));
}
