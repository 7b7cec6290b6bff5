import { ParamsError } from "./errors.ts";
import { Secret } from "./secret.ts";

/** SQL text that is safe to send: made by the {@link sql} and {@link sqlite} tags alone. */
export class Sql {
  readonly #text: string;
  readonly secret: boolean;

  private constructor(text: string, secret: boolean) {
    this.#text = text;
    this.secret = secret;
  }

  /** @internal The one way in. */
  static unsafe(text: string, secret: boolean): Sql {
    return new Sql(text, secret);
  }

  /** The statement for a client's standard input: a {@link Secret} when any hole was one. */
  get input(): string | Secret {
    return this.secret ? new Secret(this.#text) : this.#text;
  }

  /** @internal For the tags, which nest. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return this.secret ? "<secret SQL>" : this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

export type SqlHole = string | number | boolean | null | Secret | Sql;

/**
 * A MariaDB statement as a tagged template: strings become literals, `null` NULL, a nested {@link Sql} is inserted as
 * it is. Literals are right for every `sql_mode` but `NO_BACKSLASH_ESCAPES`; sessions of ours set their own mode.
 * @see https://mariadb.com/kb/en/string-literals/
 */
export function sql(strings: TemplateStringsArray, ...holes: readonly SqlHole[]): Sql {
  return assemble(strings, holes, (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`);
}

/**
 * A statement for SQLite's dialect (ProxySQL's admin port), where a backslash is an ordinary character.
 * @see https://www.sqlite.org/lang_expr.html#literal_values_constants_
 */
export function sqlite(strings: TemplateStringsArray, ...holes: readonly SqlHole[]): Sql {
  return assemble(strings, holes, (text) => `'${text.replaceAll("'", "''")}'`);
}

/** An identifier in backticks, right for MariaDB and SQLite. */
export function sqlId(name: string): Sql {
  refuseNul(name);
  if (name === "") throw new ParamsError("an SQL identifier is empty");
  return Sql.unsafe(`\`${name.replaceAll("`", "``")}\``, false);
}

/**
 * Keywords that come as data: a privilege's name, a character set's. Letters, digits, underscores and single blanks only,
 * so that nothing but words can be made of it.
 */
export function sqlWords(text: string): Sql {
  if (!/^[A-Za-z_][A-Za-z0-9_]*( [A-Za-z0-9_]+)*$/.test(text)) {
    throw new ParamsError("an SQL keyword is no plain words", { detail: JSON.stringify(text.slice(0, 80)) });
  }
  return Sql.unsafe(text, false);
}

/** Joins statements or fragments. */
export function sqlJoin(parts: readonly Sql[], separator = ", "): Sql {
  return Sql.unsafe(
    parts.map((part) => part.reveal()).join(separator),
    parts.some((part) => part.secret),
  );
}

function assemble(strings: TemplateStringsArray, holes: readonly SqlHole[], literal: (text: string) => string): Sql {
  let text = strings.raw[0] ?? "";
  let secret = false;
  holes.forEach((hole, index) => {
    if (hole instanceof Sql) {
      text += hole.reveal();
      secret ||= hole.secret;
    } else if (hole instanceof Secret) {
      text += literal(refuseNul(hole.reveal()));
      secret = true;
    } else if (typeof hole === "string") {
      text += literal(refuseNul(hole));
    } else if (typeof hole === "number" && !Number.isFinite(hole)) {
      throw new ParamsError(`${hole} is no SQL number`);
    } else {
      text += hole === null ? "NULL" : String(hole).toUpperCase();
    }
    text += strings.raw[index + 1] ?? "";
  });
  return Sql.unsafe(text, secret);
}

function refuseNul(text: string): string {
  if (text.includes("\0")) throw new ParamsError("an SQL value holds a NUL character");
  return text;
}
