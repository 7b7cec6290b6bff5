import { inspect } from "node:util";
import { UsageError } from "../errors.ts";
import { renderSource, type Source, suggest } from "../inventory/inventory.ts";

/** Secrets that cannot be read: no key, another's key, a damaged file, a provider that refuses. */
export class SecretsError extends UsageError {
  readonly code = "secrets";
}

/** Words that a reference may begin with, and what they name. */
export const SECRET_PROVIDERS = ["age", "env", "command", "ansible-vault", "vault"] as const;

export type SecretProviderName = (typeof SECRET_PROVIDERS)[number] | "ansible-vault-text";

/**
 * Where a secret is, as an inventory says it: inert until a run that needs the value resolves it. Like a
 * {@link Secret} it prints as `<secret>`; {@link describe} gives what may be told.
 */
export class SecretRef {
  readonly provider: SecretProviderName;
  /** In the provider's own terms: a file, a name, a path; a command as the JSON of its argv; a vaulted text. */
  readonly location: string;
  /** Which of several values there: the part after `#`. */
  readonly key: string | undefined;
  // Not a field: of two inventories that differ in their lines alone, the references are the same.
  readonly #source: Source;

  constructor(provider: SecretProviderName, location: string, key: string | undefined, source: Source) {
    this.provider = provider;
    this.location = location;
    this.key = key;
    this.#source = source;
  }

  get source(): Source {
    return this.#source;
  }

  /** The reference as it was written, which is no secret: `age:credentials/db.age#root`. */
  describe(): string {
    if (this.provider === "ansible-vault-text") return "!vault";
    return `${this.provider}:${this.location}${this.key === undefined ? "" : `#${this.key}`}`;
  }

  toString(): string {
    return "<secret>";
  }

  toJSON(): string {
    return "<secret>";
  }

  [inspect.custom](): string {
    return "<secret>";
  }
}

/** What to write, for hints. */
const FORMS =
  "age:FILE#NAME, env:NAME, command:[PROGRAM, ARG], ansible-vault:FILE#NAME, vault:PATH#FIELD (docs/secrets.md)";

/**
 * Reads `age:credentials/db.age#root`, `env:DB_PASSWORD`, `command:[pass, show, db/root]`, `ansible-vault:FILE#NAME` or
 * `vault:kv/data/app#password`.
 * @throws SecretsError with file, line and column
 */
export function parseSecretRef(text: string, source: Source): SecretRef {
  const refuse = (problem: string, hint: string): never => {
    throw new SecretsError(`${renderSource(source)}: !secret ${text}: ${problem}`, { hint });
  };
  const [, word, rest = ""] = /^([a-z-]+):(.*)$/s.exec(text.trim()) ?? [];
  if (word === undefined) return refuse("a reference begins with the word of a provider", FORMS);
  const provider = SECRET_PROVIDERS.find((known) => known === word);
  if (provider === undefined) return refuse(`there is no provider "${word}"`, suggest(word, SECRET_PROVIDERS));
  if (provider === "command") return parseCommand(rest, source, refuse);
  const [location = "", ...keys] = rest.split("#");
  const key = keys.length === 0 ? undefined : keys.join("#");
  if (location.trim() === "" || key === "") return refuse("something is missing", FORMS);
  if (provider === "env" && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(location)) {
    return refuse(`${location} is no name of an environment variable`, "write it as env:DB_PASSWORD");
  }
  return new SecretRef(provider, location.trim(), key, source);
}

function parseCommand(rest: string, source: Source, refuse: (problem: string, hint: string) => never): SecretRef {
  const hint = 'write the program and its arguments as a list: command:["pass", "show", "db/root"]';
  const [, list, key] = /^\s*(\[.*\])\s*(?:#(.+))?$/s.exec(rest) ?? [];
  if (list === undefined) return refuse("a command is a list; no shell ever sees it", hint);
  const words = readWords(list);
  if (words === undefined || words[0] === undefined || words[0] === "") return refuse(`${list} is no list`, hint);
  return new SecretRef("command", JSON.stringify(words), key, source);
}

/** A flow sequence of strings, in JSON or with bare words as YAML has them. */
function readWords(list: string): readonly string[] | undefined {
  const item = /\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"',[\]{}#&*!|>%@`][^,[\]{}]*)\s*(,|\]$)/sy;
  const words: string[] = [];
  item.lastIndex = 1;
  for (;;) {
    const [, word, end] = item.exec(list) ?? [];
    if (word === undefined) return undefined;
    const text = unquote(word);
    if (text === undefined) return undefined;
    words.push(text);
    if (end !== ",") return words;
  }
}

function unquote(word: string): string | undefined {
  if (word.startsWith("'")) return word.slice(1, -1).replaceAll("''", "'");
  if (!word.startsWith('"')) return word.trim();
  try {
    const text: unknown = JSON.parse(word);
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}
