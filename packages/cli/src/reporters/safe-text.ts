/**
 * What a terminal obeys, or shows as something else than it is: C0 and C1 controls and DEL (ESC, CSI, OSC, BEL, CR),
 * the line separators of Unicode, bidirectional marks, overrides and isolates, invisible tags, lone surrogates.
 * @see https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 * @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

/**
 * Text that came from elsewhere, made harmless to print: what a terminal would obey is shown as its code (`\x1b`).
 * Line feeds and tabs stay; CR LF becomes LF, and a lone CR, which would go back over the line, a line feed.
 */
export function safeText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(UNSAFE, showCode);
}

/** {@link safeText} for a place that has one line: line feeds and tabs are shown as their codes too. */
export function safeLine(text: string): string {
  return text.replace(/[\n\r\t]/g, (character) => SHORT[character] ?? character).replace(UNSAFE, showCode);
}

/** The same characters as JSON's own escapes: the document stays what it was, and safe to look at. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function showCode(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
