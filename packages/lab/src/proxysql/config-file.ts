import { readFileSync } from "node:fs";

/** A value of a libconfig file. */
export type ConfigValue = string | number | boolean | ConfigGroup | readonly ConfigValue[];
/** A group of settings. */
export interface ConfigGroup {
  readonly [name: string]: ConfigValue;
}
/** A parsed configuration file. */
export type ConfigFile = ConfigGroup;

/** A configuration file that cannot be parsed; the message names the line. */
export class ConfigSyntaxError extends Error {
  override readonly name = "ConfigSyntaxError";
}

interface Token {
  readonly kind: "name" | "string" | "number" | "boolean" | "symbol" | "end";
  readonly text: string;
  readonly line: number;
}

const TOKEN =
  /(?<skip>\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<string>"(?:[^"\\]|\\[\s\S])*")|(?<number>[-+]?(?:0x[0-9a-f]+|\d+(?:\.\d*)?(?:e[-+]?\d+)?)L{0,2})(?![\w])|(?<name>[A-Za-z*][-\w*]*)|(?<symbol>[={}()[\]:;,])/giy;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f", "\\": "\\", '"': '"' };

function textOf(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-f]{2})|([\s\S]))/gi, (_match, hex: string | undefined, character: string | undefined) =>
      hex === undefined
        ? (ESCAPES[character ?? ""] ?? `\\${character}`)
        : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}

function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new ConfigSyntaxError(`line ${line}: unexpected ${JSON.stringify(text[start])}`);
    const groups = match.groups ?? {};
    const found = Object.entries(groups).find(([, value]) => value !== undefined);
    const kind = found?.[0] ?? "skip";
    if (kind === "name" && /^(true|false)$/i.test(match[0])) tokens.push({ kind: "boolean", text: match[0], line });
    else if (kind !== "skip") tokens.push({ kind: kind as Token["kind"], text: match[0], line });
    line += match[0].split("\n").length - 1;
  }
  return [...tokens, { kind: "end", text: "end of file", line }];
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  settings(end: "}" | "end of file"): ConfigGroup {
    const group: Record<string, ConfigValue> = {};
    while (this.#peek().text !== end || this.#peek().kind === "string") {
      const name = this.#expect("name").text;
      this.#expect("symbol", "=", ":");
      group[name] = this.#value();
      if (this.#isSymbol(";") || this.#isSymbol(",")) this.#next();
    }
    this.#next();
    return group;
  }

  #value(): ConfigValue {
    const token = this.#next();
    if (token.kind === "string") return this.#joinedString(token);
    if (token.kind === "number") return Number(token.text.replace(/L+$/i, ""));
    if (token.kind === "boolean") return /true/i.test(token.text);
    if (token.text === "{") return this.settings("}");
    if (token.text === "(") return this.#list(")");
    if (token.text === "[") return this.#list("]");
    throw this.#unexpected(token, "a value");
  }

  #joinedString(first: Token): string {
    let value = textOf(first.text);
    while (this.#peek().kind === "string") value += textOf(this.#next().text);
    return value;
  }

  #list(end: ")" | "]"): ConfigValue[] {
    const values: ConfigValue[] = [];
    while (!this.#isSymbol(end)) {
      values.push(this.#value());
      if (this.#isSymbol(",")) this.#next();
      else if (!this.#isSymbol(end)) throw this.#unexpected(this.#peek(), `"," or "${end}"`);
    }
    this.#next();
    return values;
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { kind: "end", text: "end of file", line: 0 };
  }

  #next(): Token {
    const token = this.#peek();
    this.#position += 1;
    return token;
  }

  #isSymbol(text: string): boolean {
    return this.#peek().kind === "symbol" && this.#peek().text === text;
  }

  #expect(kind: Token["kind"], ...texts: string[]): Token {
    const token = this.#next();
    if (token.kind === kind && (texts.length === 0 || texts.includes(token.text))) return token;
    throw this.#unexpected(token, texts.length === 0 ? `a ${kind}` : texts.map((text) => `"${text}"`).join(" or "));
  }

  #unexpected(token: Token, wanted: string): ConfigSyntaxError {
    return new ConfigSyntaxError(`line ${token.line}: ${wanted} was expected, not ${JSON.stringify(token.text)}`);
  }
}

/**
 * Parses text in libconfig's grammar (`@include` is not supported).
 *
 * @throws {ConfigSyntaxError} with the line at fault.
 * @see https://hyperrealm.github.io/libconfig/libconfig_manual.html#Configuration-Files
 */
export function parseConfig(text: string): ConfigFile {
  return new Parser(tokenise(text)).settings("end of file");
}

/** Reads and parses a configuration file. */
export function readConfigFile(path: string): ConfigFile {
  try {
    return parseConfig(readFileSync(path, "utf8"));
  } catch (cause) {
    if (cause instanceof ConfigSyntaxError) throw new ConfigSyntaxError(`${path}: ${cause.message}`, { cause });
    throw cause;
  }
}
