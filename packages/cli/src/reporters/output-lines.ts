import { stripVTControlCharacters } from "node:util";
import { safeText } from "./safe-text.ts";

const MAX_LINE = 2000;

/** Cuts what hosts print, in pieces of any size, into whole safe lines; colours and cursor movements are dropped. */
export class OutputLines {
  readonly #open = new Map<string, string>();

  /** The lines that are whole now. */
  add(host: string, text: string): readonly string[] {
    const lines = `${this.#open.get(host) ?? ""}${text}`.split(/\r\n|\n|\r(?!$)/);
    const rest = lines.pop() ?? "";
    this.#open.set(host, rest.length > MAX_LINE ? "" : rest);
    return (rest.length > MAX_LINE ? [...lines, rest] : lines).map(clean);
  }

  /** What is left of a host's last line. */
  end(host: string): readonly string[] {
    const rest = this.#open.get(host) ?? "";
    this.#open.delete(host);
    return rest.trim() === "" ? [] : [clean(rest)];
  }

  /** The line that is being written. */
  current(host: string): string {
    return clean(this.#open.get(host) ?? "");
  }
}

function clean(line: string): string {
  return safeText(stripVTControlCharacters(line)).replaceAll("\n", " ").trimEnd();
}
