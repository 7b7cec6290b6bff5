/** What a Python literal can be; tuples and sets are lists, as in Ansible's JSON. */
export type PythonLiteral =
  | null
  | boolean
  | number
  | string
  | readonly PythonLiteral[]
  | { readonly [key: string]: PythonLiteral };

/**
 * The value of a Python literal, as Ansible reads the values of an INI inventory: numbers, quoted texts, lists, tuples,
 * dicts, `True`, `False`, `None`, with a comment after them. Undefined for everything else, which stays the text that it
 * is; so do whole numbers that a double cannot hold.
 * @see https://docs.python.org/3/library/ast.html#ast.literal_eval
 */
export function readPythonLiteral(text: string): { readonly value: PythonLiteral } | undefined {
  const reader = new LiteralReader(text.replace(/^[ \t]+/, ""));
  try {
    return { value: reader.whole() };
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}

class NoLiteral extends Error {}

/** Lists in lists further down than anybody writes them. */
const DEEPEST = 100;

const NUMBER =
  /[+-]?\s*(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?)(?![\w.])/y;
const STRING_START = /((?:[rRuUbB]|[bB][rR]|[rR][bB])?)("""|'''|"|')/y;
const SPACE = /(?:[ \t\f]|\\\n|#[^\n]*$)*/my;
const WORDS: Readonly<Record<string, PythonLiteral>> = { None: null, True: true, False: false };

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): PythonLiteral {
    const value = this.#listWithoutBrackets();
    if (this.#at < this.#text.length) throw new NoLiteral();
    return value;
  }

  /** `1, 2` is a tuple too. */
  #listWithoutBrackets(): PythonLiteral {
    const first = this.#value();
    if (!this.#take(",")) return first;
    const items = [first];
    while (this.#at < this.#text.length) {
      items.push(this.#value());
      if (!this.#take(",")) break;
    }
    return items;
  }

  #value(): PythonLiteral {
    this.#skip();
    if (this.#take("[")) return this.#items("]");
    if (this.#take("(")) return this.#tuple();
    if (this.#take("{")) return this.#dictOrSet();
    const word = this.#match(/(?:None|True|False)(?!\w)/y);
    if (word !== undefined) return WORDS[word] ?? null;
    return this.#number() ?? this.#string();
  }

  #number(): number | undefined {
    const written = this.#match(NUMBER);
    if (written === undefined) return undefined;
    const digits = written.replace(/[_\s]/g, "");
    // A zero in front is no octal number any more, and no decimal one either, unless there are only zeros.
    if (/^[+-]?0\d*[1-9]\d*$/.test(digits)) throw new NoLiteral();
    const magnitude = Number(digits.replace(/^[+-]/, ""));
    if (!/[.eE]/.test(digits.replace(/^[+-]?0[xX].*/, "")) && !Number.isSafeInteger(magnitude)) throw new NoLiteral();
    return digits.startsWith("-") && magnitude !== 0 ? -magnitude : magnitude;
  }

  #string(): string {
    let text: string | undefined;
    // Texts side by side are one.
    for (let start = this.#quote(); start !== undefined; start = this.#quote())
      text = (text ?? "") + this.#quoted(start);
    if (text === undefined) throw new NoLiteral();
    return text;
  }

  #quote(): { readonly raw: boolean; readonly quote: string } | undefined {
    STRING_START.lastIndex = this.#at;
    const [all, prefix = "", quote] = STRING_START.exec(this.#text) ?? [];
    if (all === undefined || quote === undefined) return undefined;
    this.#at += all.length;
    return { raw: /r/i.test(prefix), quote };
  }

  #quoted({ raw, quote }: { readonly raw: boolean; readonly quote: string }): string {
    const start = this.#at;
    while (!this.#text.startsWith(quote, this.#at)) {
      if (this.#at >= this.#text.length || (quote.length === 1 && this.#text[this.#at] === "\n")) throw new NoLiteral();
      this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    }
    const body = this.#text.slice(start, this.#at);
    this.#at += quote.length;
    this.#skip();
    return raw ? body : withoutEscapes(body);
  }

  #items(end: string): PythonLiteral[] {
    this.#deeper();
    const items: PythonLiteral[] = [];
    while (!this.#take(end)) {
      items.push(this.#value());
      if (this.#take(",")) continue;
      this.#expect(end);
      break;
    }
    this.#depth -= 1;
    return items;
  }

  /** `(1)` is 1, `(1,)` a tuple of one. */
  #tuple(): PythonLiteral {
    this.#deeper();
    if (this.#take(")")) return this.#shallower([]);
    const first = this.#value();
    if (this.#take(")")) return this.#shallower(first);
    this.#expect(",");
    const rest = this.#items(")");
    return this.#shallower([first, ...rest]);
  }

  #dictOrSet(): PythonLiteral {
    this.#deeper();
    if (this.#take("}")) return this.#shallower({});
    const first = this.#value();
    if (!this.#take(":")) {
      const isLast = this.#take("}");
      if (!isLast) this.#expect(",");
      return this.#shallower([...new Set(isLast ? [first] : [first, ...this.#items("}")])]);
    }
    const entries: [string, PythonLiteral][] = [[keyText(first), this.#value()]];
    while (!this.#take("}")) {
      this.#expect(",");
      if (this.#take("}")) break;
      const key = keyText(this.#value());
      this.#expect(":");
      entries.push([key, this.#value()]);
    }
    return this.#shallower(Object.fromEntries(entries));
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new NoLiteral();
  }

  #shallower<T>(value: T): T {
    this.#depth -= 1;
    return value;
  }

  #take(text: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    this.#skip();
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new NoLiteral();
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.#skip();
    return found;
  }

  #skip(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }
}

/** JSON has texts for keys only; Ansible's own dump writes them like this. */
function keyText(key: PythonLiteral): string {
  if (typeof key === "object" && key !== null) throw new NoLiteral();
  return typeof key === "string" ? key : String(key);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\n": "",
};

/** An escape that Python does not know stays as it is, its backslash included. */
function withoutEscapes(body: string): string {
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))/gs,
    (all: string, ...groups: (string | undefined)[]) => {
      const [x, u, long, octal, single = ""] = groups;
      const hex = x ?? u ?? long;
      const code =
        hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : undefined;
      if (code === undefined) {
        // \x, \u, \U without their digits, and \N{NAME}, are errors to Python, or would need its tables of names.
        if (/^[xuUN]$/.test(single)) throw new NoLiteral();
        return ESCAPES[single] ?? all;
      }
      if (code > 0x10ffff) throw new NoLiteral();
      return String.fromCodePoint(code);
    },
  );
}
