import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutputLines } from "./output-lines.ts";
import { safeJson, safeLine, safeText } from "./safe-text.ts";

/** Written a second time, by category: control characters but line feed and tab, and what changes the reading order. */
function isHarmful(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (character === "\n" || character === "\t") return false;
  const direction = [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069];
  return /^[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]$/u.test(character) || direction.includes(code);
}

/** Any text, with more of what hurts than chance would bring. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "\x1b[31m",
        "\x1b]52;c;eA==\x07",
        "\x9b2J",
        "\r",
        "\r\n",
        "\n",
        "\u202e",
        "\u2067",
        "\x7f",
        "\ud800",
      ),
    ),
  )
  .map((parts) => parts.join(""));

describe("text from elsewhere", () => {
  test("holds nothing that a terminal obeys", () => {
    fc.assert(fc.property(hostile, (text) => [...safeText(text)].every((character) => !isHarmful(character))));
  });

  test("is one line where one line is asked for", () => {
    fc.assert(fc.property(hostile, (text) => !/[\n\t]/.test(safeLine(text)) && ![...safeLine(text)].some(isHarmful)));
  });

  test("stays what it was in JSON, and holds nothing that a terminal obeys", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const json = safeJson(JSON.stringify({ text }));
        expect(JSON.parse(json)).toEqual({ text });
        expect([...json].some(isHarmful)).toBe(false);
      }),
    );
  });

  test.each([
    ["caf\u00e9 \u2713 \u{1f600} \u4e2d\ttab\nline", "caf\u00e9 \u2713 \u{1f600} \u4e2d\ttab\nline"],
    ["\x1b[2J\x07", "\\x1b[2J\\x07"],
    ["10%\r20%\r\ndone", "10%\n20%\ndone"],
    ["a\u202eb\u2069", "a\\u{202e}b\\u{2069}"],
    ["\u009b31m", "\\x9b31m"],
  ])("%j is shown as %j", (text, shown) => {
    expect(safeText(text)).toBe(shown);
  });
});

describe("what hosts print", () => {
  test("is cut into whole lines, wherever the pieces end", () => {
    const said = "one\r\ntwo\r33%\r66%\nthree \x1b[32mgreen\x1b[0m\n\nend";
    fc.assert(
      fc.property(fc.array(fc.nat(said.length), { maxLength: 5 }), (cuts) => {
        const ends = [...cuts, said.length].toSorted((a, b) => a - b);
        const lines = new OutputLines();
        const seen = ends.flatMap((end, index) => lines.add("db1", said.slice(ends[index - 1] ?? 0, end)));
        expect([...seen, ...lines.end("db1")]).toEqual(["one", "two", "33%", "66%", "three green", "", "end"]);
      }),
    );
  });

  test("of several hosts is kept apart", () => {
    const lines = new OutputLines();
    expect([lines.add("a", "1"), lines.add("b", "2"), lines.add("a", "1\n"), lines.end("b")]).toEqual([
      [],
      [],
      ["11"],
      ["2"],
    ]);
  });
});
