import { globSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { splitWords } from "../inventory/words.ts";

/** OpenSSH's own limit. @see https://man.openbsd.org/ssh_config.5#Include */
const MAX_DEPTH = 16;

/** The text of `~/.ssh/config` and its like, with what they include. */
export interface ConfigText {
  readonly text: string;
  /** Whether a file is included for some hosts only, which the text alone cannot tell. */
  readonly partial: boolean;
}

/** The configuration files that ssh(1) would read: the one that is named, or the user's and then the system's. */
export function configFiles(named: string | undefined): readonly string[] {
  if (named === "none") return [];
  return named === undefined ? [join(homedir(), ".ssh/config"), "/etc/ssh/ssh_config"] : [named];
}

/** Reads configuration files; one that is missing is empty. */
export function readConfigText(files: readonly string[]): ConfigText {
  const texts = files.map((file) => includeFiles(file, 0));
  // `Host *` ends the last section of the file before.
  return { text: texts.map(({ text }) => text).join("\nHost *\n"), partial: texts.some(({ partial }) => partial) };
}

function includeFiles(file: string, depth: number): ConfigText {
  let raw: string;
  try {
    raw = readFileSync(file, "utf8");
  } catch {
    return { text: "", partial: false };
  }
  let partial = false;
  let inSection = false;
  const lines = raw.split(/\r?\n/).map((line): string => {
    const [, keyword = "", values = ""] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
    if (/^(?:host|match)$/i.test(keyword)) inSection = !/^(?:\*|all)$/i.test(values.trim());
    if (!/^include$/i.test(keyword) || depth >= MAX_DEPTH) return line;
    partial ||= inSection;
    const included = splitWords(values)
      .flatMap((pattern) => globSync(absolute(pattern, file)).sort())
      .map((path) => includeFiles(path, depth + 1));
    partial ||= included.some((one) => one.partial);
    return included.map(({ text }) => `${text}\nHost *`).join("\n");
  });
  return { text: lines.join("\n"), partial };
}

/** Relative names are the user's, unless the system's own file says them. */
function absolute(pattern: string, file: string): string {
  const path = pattern.replace(/^~(?=\/)/, homedir());
  if (isAbsolute(path)) return path;
  return join(file.startsWith("/etc/ssh/") ? dirname(file) : join(homedir(), ".ssh"), path);
}

/** What the built-in transport reads of a configuration, by its lower-case keywords. */
const READ_KEYWORDS: ReadonlySet<string> = new Set([
  ...["hostname", "user", "port", "identityfile", "identitiesonly", "identityagent", "certificatefile"],
  ...["proxyjump", "proxycommand", "userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking"],
  ...["hostkeyalias", "connecttimeout", "serveraliveinterval", "serveralivecountmax", "revokedhostkeys"],
  ...["canonicalizehostname", "pubkeyauthentication", "ciphers", "kexalgorithms", "macs", "hostkeyalgorithms"],
]);

/**
 * Whether a configuration says anything that is read here. Where it does not, asking ssh(1) for each host would cost a
 * process a host and tell the defaults.
 */
export function saysSomething({ text }: ConfigText): boolean {
  return text.split("\n").some((line) => READ_KEYWORDS.has((/^\s*(\w+)/.exec(line)?.[1] ?? "").toLowerCase()));
}
