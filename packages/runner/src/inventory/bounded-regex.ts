import { Script } from "node:vm";
import { InventoryError } from "../errors.ts";

/** Milliseconds that all names of an inventory may take. A sensible expression takes less than one. */
const LIMIT_MS = 1_000;

/**
 * The names that a regular expression fits from their beginning, as Python's `re.match` does for Ansible. An expression
 * that backtracks without end is stopped after a second.
 * @throws InventoryError for what is no regular expression, or takes too long
 */
export function namesFitting(expression: string, names: readonly string[]): readonly string[] {
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^(?:${expression})`, "u");
  } catch (cause) {
    throw new InventoryError(`~${expression} is no regular expression`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  // The expression runs in V8's own interpreter of scripts only because nothing else there has a time limit.
  const script = new Script("names.filter((name) => pattern.test(name))");
  try {
    const fitting: unknown = script.runInNewContext({ names, pattern }, { timeout: LIMIT_MS });
    return Array.isArray(fitting) ? fitting.map(String) : [];
  } catch (cause) {
    throw new InventoryError(
      `~${expression} takes too long: more than ${LIMIT_MS / 1000} s for ${names.length} names`,
      {
        hint: "a repetition within a repetition, like (a+)+, is what makes it slow",
        cause,
      },
    );
  }
}
