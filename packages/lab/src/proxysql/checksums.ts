import { createHash } from "node:crypto";

/** Names in runtime_checksums_values, in that table's order of insertion. */
export const CHECKSUM_NAMES = [
  "admin_variables",
  "mysql_query_rules",
  "mysql_servers",
  "mysql_users",
  "mysql_variables",
  "proxysql_servers",
  "mysql_servers_v2",
] as const;
/** Name of a checksum. */
export type ChecksumName = (typeof CHECKSUM_NAMES)[number];

/** The checksum of an empty table. */
export const NO_CONTENT = "0x0000000000000000";

interface Entry {
  version: number;
  epoch: number;
  checksum: string;
}

/** A value of a hashed row. */
export type Hashed = string | number | bigint | Uint8Array | null;

/**
 * Hashes rows: equal rows give equal checksums, on every instance; no rows give {@link NO_CONTENT}.
 *
 * The real server's values differ: it hashes with another function.
 */
export function hashRows(rows: Iterable<readonly Hashed[]>): string {
  const hash = createHash("sha256");
  let isEmpty = true;
  for (const row of rows) {
    isEmpty = false;
    hash.update(JSON.stringify(row.map((value) => (value === null ? null : String(value)))));
  }
  return isEmpty ? NO_CONTENT : `0x${hash.digest("hex").slice(0, 16).toUpperCase()}`;
}

/** Versions and checksums of what is at run time: version 1 at start, one more with each LOAD, changed or not. */
export class Checksums {
  readonly #entries = new Map<ChecksumName, Entry>();

  /** Records what the server starts with. */
  start(name: ChecksumName, checksum: string): void {
    this.#entries.set(name, { version: 1, epoch: Math.floor(Date.now() / 1000), checksum });
  }

  /** Records a LOAD. */
  bump(name: ChecksumName, checksum: string): void {
    const version = (this.#entries.get(name)?.version ?? 0) + 1;
    this.#entries.set(name, { version, epoch: Math.floor(Date.now() / 1000), checksum });
  }

  /** Rows of runtime_checksums_values. */
  rows(): [string, number, number, string][] {
    return [...this.#entries].map(([name, entry]) => [name, entry.version, entry.epoch, entry.checksum]);
  }
}
