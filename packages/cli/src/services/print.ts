import { safeJson, safeLine } from "../reporters/safe-text.ts";
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

/** Writes what a person should know of an inventory to standard error. */
export function printWarnings(warnings: readonly string[]): void {
  const paint = makePaint(wantsColours(process.stderr, process.env));
  process.stderr.write(warnings.map((text) => `${paint("doubt", `warning: ${safeLine(text)}`)}\n`).join(""));
}
