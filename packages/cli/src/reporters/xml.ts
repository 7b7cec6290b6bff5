import { safeText } from "./safe-text.ts";

/** An element with attributes, and elements or text in it. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly content?: readonly Element[] | string;
}

/** An XML 1.0 document, indented; well-formed whatever texts it holds. */
export function renderXml(root: Element): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${renderElement(root, "")}\n`;
}

function renderElement({ name, attributes, content }: Element, margin: string): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeAttribute(String(value))}"`);
  const open = `${margin}<${name}${given.join("")}`;
  if (content === undefined || content.length === 0) return `${open}/>`;
  if (typeof content === "string") return `${open}>${escapeText(content)}</${name}>`;
  const inner = content.map((element) => renderElement(element, `${margin}  `));
  return `${open}>\n${inner.join("\n")}\n${margin}</${name}>`;
}

/**
 * XML cannot hold most control characters, not even escaped, nor lone surrogates: they are shown as their codes. U+FFFE
 * and U+FFFF are no characters either.
 * @see https://www.w3.org/TR/xml/#charsets
 */
function escapeText(text: string): string {
  return safeText(text)
    .replaceAll("\ufffe", "\\u{fffe}")
    .replaceAll("\uffff", "\\u{ffff}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** A parser would read a line feed or tab in an attribute as a space. */
function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}
