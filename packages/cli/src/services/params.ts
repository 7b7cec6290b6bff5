import { CommandLineError } from "./usage-error.ts";

/**
 * The params of `-e NAME=VALUE`.
 * @throws CommandLineError where there is no `=`, or a name comes twice
 */
export function parseParams(given: readonly string[]): Readonly<Record<string, string>> {
  const params = new Map<string, string>();
  for (const text of given) {
    const split = text.indexOf("=");
    if (split < 1) throw new CommandLineError(`-e ${text}: no value`, { hint: "write -e NAME=VALUE" });
    const name = text.slice(0, split);
    if (params.has(name)) throw new CommandLineError(`-e ${name} is given twice`);
    params.set(name, text.slice(split + 1));
  }
  return Object.fromEntries(params);
}
