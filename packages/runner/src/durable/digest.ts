import { createHmac, randomBytes } from "node:crypto";
import { Secret } from "../secret.ts";
import { Sh } from "../sh.ts";

/** Makes digests of values: equal values have equal digests, whatever the order of their fields. */
export type Digest = (value: unknown) => string;

const DIGEST_CHARACTERS = 32;

/** A key for {@link makeDigest}, made anew for each plan and each run: digests of two of them cannot be compared. */
export function newDigestKey(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Digests under a key (HMAC-SHA-256, the first 128 bits in hexadecimal). Secrets count by their clear text, which
 * nobody without the key can try out.
 * @see https://www.rfc-editor.org/rfc/rfc2104
 */
export function makeDigest(key: string): Digest {
  return (value) => createHmac("sha256", key).update(canonical(value)).digest("hex").slice(0, DIGEST_CHARACTERS);
}

/** A text that two values share only if they are equal. */
function canonical(value: unknown): string {
  if (value instanceof Secret) return `secret${JSON.stringify(value.reveal())}`;
  if (value instanceof Sh) return `sh${JSON.stringify(value.text)}`;
  if (value instanceof Uint8Array) return `bytes"${Buffer.from(value).toString("base64")}"`;
  if (value instanceof Map) return `map${canonical([...value])}`;
  if (value instanceof Set) return `set${canonical([...value])}`;
  if (value instanceof Date || value instanceof RegExp) return `of${JSON.stringify(String(value))}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
    const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${sorted.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(",")}}`;
  }
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? "undefined");
}
