import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Inventory, matchHosts } from "@keybuzz/runner";
import { CommandLineError } from "./usage-error.ts";

/**
 * The hosts of `--limit`: a pattern, parts of which may be `@FILE`, a file with a pattern a line, as Ansible's retry files
 * are. Empty lines and those that begin with `#` are passed over.
 * @throws CommandLineError for a file that cannot be read, or that names nobody: that is not the same as no limit
 */
export function matchLimit(inventory: Inventory, limit: string, directory: string): readonly string[] {
  if (!limit.includes("@")) return matchHosts(inventory, limit);
  const parts = limit.split(",").flatMap((part) => {
    const given = part.trim();
    return given.startsWith("@") ? readHosts(resolve(directory, given.slice(1)), given) : [given];
  });
  return matchHosts(inventory, parts.join(","));
}

function readHosts(path: string, given: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new CommandLineError(`--limit ${given}: the file cannot be read`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  const lines = text.split("\n").map((line) => line.trim());
  const hosts = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (hosts.length > 0) return hosts;
  throw new CommandLineError(`--limit ${given}: there is no host in the file`, { hint: "one name or pattern a line" });
}
