import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ParamsError, Secret } from "@keybuzz/runner";
import ejs from "ejs";

/** What a template may use: values, records and lists of them, functions. Secrets may be anywhere among them. */
export type TemplateVars = Readonly<Record<string, unknown>>;

/** Absolute path of a template, from a file URL or a path from the working directory. */
export function templatePath(src: string | URL): string {
  return src instanceof URL ? fileURLToPath(src) : resolve(src);
}

/**
 * Renders an EJS template on the controller. Values are inserted as they are: nothing is escaped, since the result is a
 * configuration file and no HTML.
 *
 * A secret stands in the template as a marker of 128 random bits, which its clear text replaces afterwards: it is never
 * in the template engine's hands, nor in its errors. The result is a {@link Secret} where one was inserted.
 * @throws ParamsError with file and line, for a missing name, for a value that is no text, for a template that cannot be
 *   read, and where a template alters a secret
 * @see https://ejs.co/#docs
 */
export function renderTemplate(path: string, vars: TemplateVars): string | Secret {
  const hidden = new HiddenSecrets();
  let text: string;
  try {
    text = compile(path)(hidden.cover(vars) as ejs.Data);
  } catch (error) {
    throw templateError(path, vars, hidden.mask(error instanceof Error ? error.message : String(error)), error);
  }
  return hidden.uncover(path, text);
}

const compiled = new Map<string, { readonly text: string; readonly render: ejs.TemplateFunction }>();

/** A fleet renders one template once a host; its text is compiled once. */
function compile(path: string): ejs.TemplateFunction {
  const text = readFileSync(path, "utf8");
  const known = compiled.get(path);
  if (known?.text === text) return known.render;
  const render = ejs.compile(text, { filename: path, escape: plainText });
  compiled.set(path, { text, render });
  return render;
}

function plainText(value?: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value instanceof Marker) return String(value);
  if (value === undefined || value === null) throw new TypeError(`the value is ${value}`);
  throw new TypeError(`the value is ${Array.isArray(value) ? "a list: join it" : `of type ${typeof value}`}, not text`);
}

/** Stands for a secret inside a template. It can be inserted and passed on, and nothing else. */
class Marker {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): never {
    throw new TypeError("a secret cannot be turned into JSON by a template; pass the whole JSON text as the secret");
  }
}

class HiddenSecrets {
  readonly #nonce = randomBytes(16).toString("hex");
  readonly #secrets: Secret[] = [];
  readonly #pattern = new RegExp(`\u0001${this.#nonce}-(\\d+)\u0001`, "g");

  /** The same value with a marker in place of each secret. */
  cover(value: unknown): unknown {
    if (value instanceof Secret) {
      // Control characters do not survive JSON or URI encoding unchanged, so that such a use is seen and not wrong.
      return new Marker(`\u0001${this.#nonce}-${this.#secrets.push(value) - 1}\u0001`);
    }
    if (Array.isArray(value)) return value.map((item) => this.cover(item));
    if (typeof value !== "object" || value === null) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.cover(item)]));
  }

  uncover(path: string, text: string): string | Secret {
    let found = false;
    const clear = text.replace(this.#pattern, (_, index: string) => {
      found = true;
      return this.#secrets[Number(index)]?.reveal() ?? "";
    });
    if (text.replace(this.#pattern, "").toLowerCase().includes(this.#nonce)) {
      throw new ParamsError(`template ${path} alters a secret; it can only insert it`, {
        hint: "compute the text that is needed from the secret outside, and pass that as a Secret",
      });
    }
    return found ? new Secret(clear) : clear;
  }

  mask(message: string): string {
    return message.replace(this.#pattern, "<secret>");
  }
}

/** EJS puts `FILE:LINE`, the lines around it and an empty line before the message, once for each file that includes. */
function templateError(path: string, vars: TemplateVars, message: string, cause: unknown): ParamsError {
  const parts = /^((?:.+:\d+\n(?:(?: >> | {4})\d+\|.*\n)+\n)+)([\s\S]*)$/.exec(message);
  const reason = (parts?.[2] ?? message).split("\n")[0] ?? "";
  return new ParamsError(`template ${path} cannot be rendered: ${reason}`, {
    ...(parts?.[1] === undefined ? {} : { detail: parts[1].trimEnd() }),
    hint: `its vars are ${Object.keys(vars).join(", ") || "none"}`,
    cause: cause instanceof Error && parts === null ? cause : undefined,
  });
}
