/** A word of SQL as the server reads it: a literal or a name is one, whatever it holds. */
export interface SqlToken {
  readonly kind: "literal" | "name" | "other";
  /** What it stands for, its quotes undone. */
  readonly value: string;
}

/**
 * SQL as words, after the server's own rules and not after those of the tags that wrote it.
 *
 * @param dialect SQLite knows no escape by backslash
 * @see https://mariadb.com/kb/en/string-literals/
 * @see https://www.sqlite.org/lang_expr.html
 */
export function sqlTokens(text: string, dialect: "mariadb" | "sqlite"): readonly SqlToken[] {
  const tokens: SqlToken[] = [];
  let at = 0;
  let other = "";
  const flush = (): void => {
    if (other !== "") tokens.push({ kind: "other", value: other });
    other = "";
  };
  while (at < text.length) {
    const char = text[at] ?? "";
    if (char === "'" || char === '"' || char === "`") {
      flush();
      const { value, end } = quoted(text, at, dialect === "mariadb" && char !== "`");
      tokens.push({ kind: char === "`" ? "name" : "literal", value });
      at = end;
    } else {
      other += char;
      at += 1;
    }
  }
  flush();
  return dialect === "sqlite" ? joinBackslashes(tokens) : tokens;
}

/** A client could take a backslash for an escape, so it is written as `'...'||char(92)||'...'`. */
function joinBackslashes(tokens: readonly SqlToken[]): readonly SqlToken[] {
  const joined: SqlToken[] = [];
  for (const token of tokens) {
    const [first, joint] = joined.slice(-2);
    const continues = first?.kind === "literal" && joint?.value === "||char(92)||" && token.kind === "literal";
    if (continues) joined.splice(-2, 2, { kind: "literal", value: `${first.value}\\${token.value}` });
    else joined.push(token);
  }
  return joined;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0", b: "\b", Z: "\x1a" };

function quoted(text: string, start: number, backslash: boolean): { readonly value: string; readonly end: number } {
  const quote = text[start] ?? "";
  let value = "";
  let at = start + 1;
  for (;;) {
    const char = text[at];
    if (char === undefined) throw new Error(`a quote is open to the end: ${text.slice(start, start + 60)}`);
    if (char === "\\" && backslash) {
      const next = text[at + 1] ?? "";
      value += ESCAPES[next] ?? next;
      at += 2;
    } else if (char === quote && text[at + 1] === quote) {
      value += quote;
      at += 2;
    } else if (char === quote) {
      return { value, end: at + 1 };
    } else {
      value += char;
      at += 1;
    }
  }
}
