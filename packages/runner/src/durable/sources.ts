import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The SHA-256 of each file that a playbook is made of, by its path from the working directory. */
export type Sources = Readonly<Record<string, string>>;

const CODE = /\.[cm]?[jt]s$/;
const IMPORTED = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;
const NAMED = /new URL\(\s*["']([^"']+)["']\s*,\s*import\.meta\.url\s*\)/g;

/**
 * The files that a playbook is made of: itself, what it imports by relative paths, and what these name by
 * `new URL("...", import.meta.url)`, as templates are. Packages are not looked into: kb's version stands for its own.
 * A path that does not exist counts as an empty file.
 */
export function readSources(playbook: string, directory: string): Sources {
  const sources = new Map<string, string>();
  const queue = [resolve(directory, playbook)];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const name = relative(directory, file);
    if (sources.has(name)) continue;
    const text = readIfThere(file);
    sources.set(name, createHash("sha256").update(text).digest("hex"));
    if (CODE.test(file)) queue.push(...referencesIn(text.toString("utf8"), file));
  }
  return Object.fromEntries([...sources].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function referencesIn(code: string, file: string): readonly string[] {
  const imported = [...code.matchAll(IMPORTED)].map(([, path = ""]) => resolve(dirname(file), path));
  const named = [...code.matchAll(NAMED)].flatMap(([, url = ""]) => {
    const { protocol, href } = new URL(url, pathToFileURL(file));
    return protocol === "file:" ? [fileURLToPath(href)] : [];
  });
  return [...imported, ...named];
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}

/** The names under which two records differ, one of them lacking it included. */
export function differingNames(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).toSorted();
}
