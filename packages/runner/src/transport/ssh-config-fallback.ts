import SSHConfig from "ssh-config";
import { ConnectError } from "../errors.ts";
import type { ConfigText } from "./ssh-config-text.ts";

/** What the configuration is asked about. */
export interface Asked {
  /** The host as the inventory or a jump names it. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** More arguments of ssh(1): `-o ProxyJump=...`, `-J ...`. */
  readonly args: readonly string[];
}

/**
 * Reads a configuration without ssh(1). `Match exec` is never run; an Include that holds for some hosts only cannot be
 * told from one for all, and is refused.
 * @returns values by lower-case keyword, as `ssh -G` would tell those that are set
 * @throws ConnectError
 */
export function parseFallback(config: ConfigText, asked: Asked): ReadonlyMap<string, readonly string[]> {
  if (config.partial) {
    throw new ConnectError("the ssh configuration includes files for some hosts only", {
      hint: "install ssh(1), which is asked where it is there, or write Include before the first Host",
    });
  }
  const text = `${argumentLines(asked.args)}\nHost *\n${config.text}`;
  const query = { Host: asked.host, ...(asked.user === undefined ? {} : { User: asked.user }) };
  const computed = SSHConfig.parse(text).compute(query, { ignoreCase: true, matchExec: false });
  return new Map(
    Object.entries(computed).map(([keyword, value]) => {
      const values = typeof value === "string" ? [value] : value;
      // Options of one value that is a list come as several words.
      const joined = keyword.endsWith("knownhostsfile") ? [values.join(" ")] : values;
      return [keyword, joined.map((one) => (keyword === "hostname" ? one.replaceAll("%h", asked.host) : one))];
    }),
  );
}

const LETTERS: Readonly<Record<string, string>> = { J: "ProxyJump", i: "IdentityFile", l: "User", p: "Port" };

/** `-o Name=value` and the letters that have a name, as lines of a configuration. */
function argumentLines(args: readonly string[]): string {
  const lines: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const [, letter = "", attached = ""] = /^-([oJilp])(.*)$/s.exec(args[index] ?? "") ?? [];
    if (letter === "") continue;
    if (attached === "") index += 1;
    const value = attached === "" ? (args[index] ?? "") : attached;
    const name = LETTERS[letter];
    lines.push(name === undefined ? value.replace(/^(\w+)\s*=\s*/, "$1 ") : `${name} ${value}`);
  }
  return lines.join("\n");
}
