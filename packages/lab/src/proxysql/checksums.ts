import { spookyHash } from "./spooky-hash.ts";
import type { User } from "./users.ts";

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

const ROW_SEEDS = [19n, 3n] as const;
const USER_SEEDS = [13n, 4n] as const;
const NAME_SEEDS = [1n, 2n] as const;
const MASK = (1n << 64n) - 1n;

/** Renders a hash as ProxySQL prints it: the low half first. */
function render(hash: bigint): string {
  const half = (value: bigint): string => (value & 0xffffffffn).toString(16).toUpperCase().padStart(8, "0");
  return hash === 0n ? NO_CONTENT : `0x${half(hash)}${half(hash >> 32n)}`;
}

function rawHash(rows: readonly (readonly Hashed[])[]): bigint {
  if (rows.length === 0) return 0n;
  const text = rows.flat().map((value) => (value === null ? "" : String(value)));
  return spookyHash(Buffer.from(text.join("")), ROW_SEEDS);
}

/** Hashes the rows of one table, all values as text; no rows give {@link NO_CONTENT}. */
export function hashRows(rows: readonly (readonly Hashed[])[]): string {
  return render(rawHash(rows));
}

/** Hashes several tables by the hashes of those that have rows. */
export function hashTables(tables: readonly (readonly (readonly Hashed[])[])[]): string {
  const hashes = tables.filter((rows) => rows.length > 0).map(rawHash);
  const bytes = Buffer.alloc(8 * hashes.length);
  for (const [index, hash] of hashes.entries()) bytes.writeBigUInt64LE(hash, 8 * index);
  return hashes.length === 0 ? NO_CONTENT : render(spookyHash(bytes, ROW_SEEDS));
}

function bytesOf(user: User): Buffer {
  const numbers = Buffer.alloc(12);
  numbers.writeUInt8(user.useSsl, 0);
  numbers.writeInt32LE(user.defaultHostgroup, 1);
  numbers.writeUInt8(user.schemaLocked, 5);
  numbers.writeUInt8(user.transactionPersistent, 6);
  numbers.writeUInt8(user.fastForward, 7);
  numbers.writeInt32LE(user.maxConnections, 8);
  const text = [user.username, user.password, user.defaultSchema, user.comment, user.attributes].join("");
  return Buffer.concat([numbers, Buffer.from(text)]);
}

function hashSide(users: readonly User[]): bigint {
  if (users.length === 0) return 0n;
  const keyed = users.map((user) => ({ user, key: spookyHash(Buffer.from(user.username), NAME_SEEDS) }));
  const ordered = keyed.sort((left, right) => (left.key < right.key ? -1 : 1));
  return spookyHash(Buffer.concat(ordered.map(({ user }) => bytesOf(user))), USER_SEEDS);
}

/** Hashes the accounts: the sum of what frontends and backends hash to, each ordered by the hash of the name. */
export function hashUsers(frontends: readonly User[], backends: readonly User[]): string {
  return render((hashSide(frontends) + hashSide(backends)) & MASK);
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
