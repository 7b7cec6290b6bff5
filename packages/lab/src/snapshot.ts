import { createHash } from "node:crypto";
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { hostPaths } from "./lab-dir.ts";
import { requireHost } from "./record.ts";

/** What a host has at a path where it differs from the bare system. */
export interface SnapshotEntry {
  /** Absolute, as the host sees it. */
  readonly path: string;
  /** `removed`: the bare system has it and the host has not. */
  readonly type: "file" | "directory" | "link" | "removed" | "other";
  /** Permissions in octal, four digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for a directory, whose size means nothing. */
  readonly size: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** SHA-256 of a file's content, up to 16 MiB, or of a link's target. */
  readonly sha256?: string;
}

/** What a snapshot leaves out unless told otherwise: what moves by itself on a host that nobody touches. */
export const VOLATILE_PATHS: readonly string[] = [
  "/run",
  "/tmp",
  "/var/tmp",
  "/var/log",
  "/var/cache/apt",
  "/var/lib/systemd",
  "/var/lib/lastlog",
  "/var/lib/wtmpdb",
  "/var/lib/private/systemd",
  "/var/lib/sudo",
  "/etc/resolv.conf",
];

const HASHED_BYTES = 16 * 1024 * 1024;

/**
 * All that a host's disk has other than the bare system, sorted by path: what a run in check mode must leave as it was.
 * It is read from the outside, so taking it changes nothing. Not part of it: /var/lib/docker and volumes.
 */
export function snapshot(
  lab: string,
  host: string,
  options: { readonly exclude?: readonly string[] } = {},
): readonly SnapshotEntry[] {
  requireHost(lab, host);
  const excluded = new Set(options.exclude ?? VOLATILE_PATHS);
  const { upper } = hostPaths(lab, host);
  const entries: SnapshotEntry[] = [];
  const visit = (dir: string) => {
    for (const child of readdirSync(join(upper, dir), { withFileTypes: true })) {
      const path = `${dir}/${child.name}`;
      if (excluded.has(path)) continue;
      const entry = describe(path, join(upper, path), child);
      if (entry !== undefined) entries.push(entry);
      if (child.isDirectory()) visit(path);
    }
  };
  visit("");
  return entries.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

function describe(path: string, file: string, child: Dirent): SnapshotEntry | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined; // Removed since the directory was read.
  const sha256 = contentHash(file, stats);
  return {
    path,
    type: typeOf(child, stats),
    mode: (stats.mode & 0o7777).toString(8).padStart(4, "0"),
    uid: stats.uid,
    gid: stats.gid,
    size: stats.isDirectory() ? 0 : stats.size,
    mtimeMs: stats.mtimeMs,
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function typeOf(child: Dirent, stats: Stats): SnapshotEntry["type"] {
  if (child.isFile()) return "file";
  if (child.isDirectory()) return "directory";
  if (child.isSymbolicLink()) return "link";
  // The overlay's sign for a file of the lower layer that was removed: a character device 0:0.
  return stats.isCharacterDevice() && stats.rdev === 0 ? "removed" : "other";
}

function contentHash(file: string, stats: Stats): string | undefined {
  if (stats.isSymbolicLink()) return hash(readlinkSync(file));
  return stats.isFile() && stats.size <= HASHED_BYTES ? hash(readFileSync(file)) : undefined;
}

function hash(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** What differs between two snapshots of a host, one line a path: `+` came, `-` went, `~` changed and in what. */
export function compareSnapshots(before: readonly SnapshotEntry[], after: readonly SnapshotEntry[]): readonly string[] {
  const earlier = new Map(before.map((entry) => [entry.path, entry]));
  const later = new Map(after.map((entry) => [entry.path, entry]));
  const paths = [...new Set([...earlier.keys(), ...later.keys()])].toSorted();
  return paths.flatMap((path) => {
    const [one, other] = [earlier.get(path), later.get(path)];
    if (one === undefined) return [`+ ${path}`];
    if (other === undefined) return [`- ${path}`];
    const changed = (["type", "mode", "uid", "gid", "size", "mtimeMs", "sha256"] as const).filter(
      (key) => one[key] !== other[key],
    );
    return changed.length === 0 ? [] : [`~ ${path} ${changed.join(" ")}`];
  });
}
