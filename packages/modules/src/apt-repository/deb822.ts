import { createHash } from "node:crypto";

/** One source of packages, by the names of its fields, in sources.list(5)'s own spelling. */
export type Stanza = { readonly [field: string]: string };

const FIELDS = ["Types", "URIs", "Suites", "Components", "Architectures", "Enabled", "Signed-By", "Trusted"];

/**
 * The stanzas of a `.sources` file. Comments, the spelling of field names and white space do not matter; a key is told by
 * its digest.
 * @see https://manpages.debian.org/trixie/apt/sources.list.5.en.html
 */
export function parseStanzas(text: string): readonly Stanza[] {
  const uncommented = text.replace(/^#.*(\n|$)/gm, "");
  return uncommented
    .split(/\n[ \t]*\n/)
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const fields = part
        .trim()
        .replace(/\n[ \t]+/g, "\u0000")
        .split("\n");
      return Object.fromEntries(fields.map(parseField));
    });
}

function parseField(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  const given = colon < 0 ? line : line.slice(0, colon);
  const name = FIELDS.find((field) => field.toLowerCase() === given.toLowerCase()) ?? given;
  const lines = line
    .slice(colon + 1)
    .split("\u0000")
    .map((item) => item.trim());
  const inline = name === "Signed-By" && lines.some((item) => item.startsWith("-----BEGIN"));
  return [name, inline ? describeKey(lines) : lines.join(" ").split(/\s+/).filter(Boolean).join(" ")];
}

function describeKey(lines: readonly string[]): string {
  const text = lines.filter((line) => line !== "" && line !== ".").join("\n");
  return `key with digest ${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

/** The text of a `.sources` file with one stanza; a value of several lines is folded, an empty line in it is a dot. */
export function renderStanza(fields: Stanza): string {
  const lines = Object.entries(fields).flatMap(([name, value]) => {
    const [first = "", ...rest] = value.trim().split(/\r?\n/);
    if (rest.length === 0) return [`${name}: ${first}`];
    return [`${name}:`, ...[first, ...rest].map((line) => ` ${line.trim() || "."}`)];
  });
  return `${lines.join("\n")}\n`;
}
