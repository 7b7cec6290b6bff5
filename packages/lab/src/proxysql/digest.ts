import { spookyHash } from "./spooky-hash.ts";

/**
 * Reduces a statement to its digest text: literals become `?`, comments go, blanks shrink.
 *
 * Text within backticks stays. Lists of literals are grouped as ProxySQL does it with its defaults
 * (mysql-query_digests_grouping_limit=3): `IN (?,?,?,...)`.
 */
function digestText(sql: string): string {
  const reduced = sql
    .replace(TOKEN, (token, _quoted: string | undefined, before: string | undefined) => {
      if (token.startsWith("`")) return token;
      if (/^(\/\*|#|-- )/.test(token)) return " ";
      return `${before ?? ""}?`;
    })
    .replace(/\s+/g, " ")
    .trim();
  return reduced
    .replace(/\? ?, ?(?=\?)/g, "?,")
    .replace(/\?,\?,\?(,\?)+/g, "?,?,?,...")
    .replace(/[ ;]+$/, "");
}

const TOKEN =
  /('[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*(?:'|$)|"[^"\\]*(?:(?:\\[\s\S]|"")[^"\\]*)*(?:"|$)|`[^`]*`)|\/\*[\s\S]*?\*\/|-- [^\n]*|#[^\n]*|(^|[^\w$`@.])-?(?:0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)\b/gi;

/** A statement without its literals, and a name for that text. */
export interface Digest {
  readonly text: string;
  readonly hash: string;
}

/** Text after this many characters has no part in the digest (mysql-query_digests_max_query_length). */
const MAX_DIGESTED_LENGTH = 65_000;
/** Longer statements are seldom sent twice. */
const MAX_CACHED_LENGTH = 1024;
const MAX_CACHED = 2000;
const cache = new Map<string, Digest>();

/** The digest of a statement, as in stats_mysql_query_digest. */
export function digestOf(sql: string): Digest {
  const known = cache.get(sql);
  if (known !== undefined) return known;
  const text = digestText(sql.slice(0, MAX_DIGESTED_LENGTH));
  const hash = `0x${spookyHash(Buffer.from(text), [0n, 0n]).toString(16).toUpperCase().padStart(16, "0")}`;
  if (sql.length <= MAX_CACHED_LENGTH) {
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(sql, { text, hash });
  }
  return { text, hash };
}
