import { safeJson } from "../reporters/safe-text.ts";
import { makePaint, type Paint, wantsColours } from "../reporters/style.ts";

/** Writes lines to standard output, in colours where it can show them. */
export function printLines(render: (paint: Paint) => readonly string[]): void {
  const lines = render(makePaint(wantsColours(process.stdout, process.env)));
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

/** Writes one JSON document to standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(`${safeJson(JSON.stringify(value, null, 2))}\n`);
}
