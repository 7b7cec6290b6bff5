import { createHash } from "node:crypto";

/**
 * Reduces a statement to its digest text: literals become `?`, comments go, blanks shrink.
 *
 * Text within backticks stays. Lists of literals are grouped as ProxySQL does it with its defaults
 * (mysql-query_digests_grouping_limit=3): `IN (?,?,?,...)`.
 */
export function digestText(sql: string): string {
  const reduced = sql
    .replace(TOKEN, (token, _quoted: string | undefined, before: string | undefined) => {
      if (token.startsWith("`")) return token;
      if (/^(\/\*|#|-- )/.test(token)) return " ";
      return `${before ?? ""}?`;
    })
    .replace(/\s+/g, " ")
    .trim();
  return reduced
    .replace(/ ?([,()=<>!+*/%|&^;]) ?/g, (match, symbol: string) => (/[,()=]/.test(symbol) ? symbol : match))
    .replace(/\b(IN|VALUES)\(/gi, (_match, word: string) => `${word} (`)
    .replace(/\?,\?,\?(,\?)+/g, "?,?,?,...")
    .replace(/[ ;]+$/, "");
}

const TOKEN =
  /('(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`)|\/\*[\s\S]*?\*\/|-- [^\n]*|#[^\n]*|(^|[^\w$`@.])-?(?:0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)\b/gi;

/** Names a digest text, as in stats_mysql_query_digest. */
export function digestHash(text: string): string {
  return `0x${createHash("sha1").update(text).digest("hex").slice(0, 16).toUpperCase()}`;
}
