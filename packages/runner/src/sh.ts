import { BugError, ParamsError } from "./errors.ts";
import { Secret } from "./secret.ts";

/** POSIX shell text that is safe to run: made by the {@link sh} tag alone. */
export class Sh {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** @internal The one way in; `sh` and the engine's renderers use it. */
  static unsafe(text: string): Sh {
    return new Sh(text);
  }

  toString(): string {
    return this.text;
  }
}

export type ShHole = string | number | Sh | Secret | readonly (string | number)[];

/**
 * Shell text as a tagged template. Every hole is quoted as one word (an array as several), a nested {@link Sh} is
 * inserted as it is. Text is taken raw, so backslashes are the shell's; only `\${` stands for a shell's own `${`.
 *
 * ```ts
 * sh`stat -c %a -- ${path}`            // path: "it's" -> stat -c %a -- 'it'\''s'
 * sh`apt-get install -y ${["a", "b"]}` // -> apt-get install -y 'a' 'b'
 * ```
 * @throws ParamsError for a NUL character, which no argument can hold (execve(2)).
 * @throws BugError for a {@link Secret}: arguments are readable by every user. Give it by `stdin`.
 */
export function sh(strings: TemplateStringsArray, ...holes: readonly ShHole[]): Sh {
  const texts = strings.raw.map((part) => part.replaceAll("\\${", "${"));
  let text = texts[0] ?? "";
  holes.forEach((hole, index) => {
    text += fillHole(hole) + (texts[index + 1] ?? "");
  });
  return Sh.unsafe(text);
}

function fillHole(hole: ShHole): string {
  if (hole instanceof Sh) return hole.text;
  if (hole instanceof Secret) {
    throw new BugError("a Secret was put into a command's text; give it through stdin or a 0600 file instead");
  }
  if (typeof hole === "string" || typeof hole === "number") return quoteShell(String(hole));
  return hole.map((word) => quoteShell(String(word))).join(" ");
}

/** One word of shell text that stands for exactly this string (POSIX shell, section 2.2.2: single quotes). */
export function quoteShell(word: string): string {
  if (word.includes("\0")) {
    throw new ParamsError("a value holds a NUL character, which no command argument can hold", {
      detail: JSON.stringify(word.slice(0, 80)),
    });
  }
  return /^[A-Za-z0-9_/.:=,@%+-]+$/.test(word) && !word.startsWith("=") ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Joins shell texts, one a line. */
export function shLines(lines: readonly Sh[]): Sh {
  return Sh.unsafe(lines.map((line) => line.text).join("\n"));
}
