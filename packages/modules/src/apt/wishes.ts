import type { PackageRecord } from "../probes/dpkg.ts";

/** A package as a task names it: `vim`, `vim=2:9.1.1230-2`, `vim=2:9*`. */
export interface Wish {
  readonly name: string;
  /** Version or pattern; any version unless given. */
  readonly version: string | undefined;
}

/** Splits a `name=version`. */
export function parseWish(text: string): Wish {
  const [name = "", ...version] = text.split("=");
  return { name, version: version.length === 0 ? undefined : version.join("=") };
}

/**
 * A package's record in a word: its version, `absent`, or dpkg's own word for something in between (`half-configured
 * 1.2`), which is never what a task wants.
 *
 * @param purge whether left-over configuration files count
 */
export function describePackage(record: PackageRecord | null, purge: boolean): string {
  if (record === null || record.status === "not-installed") return "absent";
  if (record.status === "config-files") return purge ? "configuration files" : "absent";
  if (record.reinstall) return `broken ${record.version}`;
  return record.status === "installed" ? record.version : `${record.status} ${record.version}`;
}

/**
 * What a package should read as.
 *
 * @param newest the newest version in the package index, where state is `latest` and one is known
 */
export function wantedPackage(
  wish: Wish,
  state: "present" | "latest" | "absent",
  current: string,
  newest: string | undefined,
): string {
  if (state === "absent") return "absent";
  if (wish.version !== undefined) return matches(wish.version, current) ? current : wish.version;
  if (state === "latest") return newest ?? (isInstalled(current) ? current : "present");
  return isInstalled(current) ? current : "present";
}

function isInstalled(text: string): boolean {
  return text !== "absent" && text !== "configuration files" && !text.includes(" ");
}

/** fnmatch(3) as apt applies it to `=version`: `*` and `?` alone. */
function matches(pattern: string, version: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return isInstalled(version) && new RegExp(`^${source}$`).test(version);
}
