import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

const MASK = "<secret>";

/**
 * A value that must never be seen. It compares by value and prints as `<secret>` wherever text is made of it:
 * string concatenation, JSON, `console.log`, diffs, events, errors.
 *
 * It reaches a host only inside an action's `stdin` or a file's content; the `sh` tag refuses it, since a command's
 * arguments are readable by every user of a host (proc(5), `/proc/PID/cmdline`).
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The clear text. Call it only where the value leaves for a host's standard input. */
  reveal(): string {
    return this.#value;
  }

  /** Whether both hold the same clear text, in time that does not depend on where they differ. */
  equals(other: Secret): boolean {
    const mine = Buffer.from(this.#value);
    const theirs = Buffer.from(other.#value);
    return mine.length === theirs.length && timingSafeEqual(mine, theirs);
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.toPrimitive](): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** The text of a value for the wire: a secret's clear text, or the text itself. */
export function revealText(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}
