import { createHmac, timingSafeEqual } from "node:crypto";

/** A known_hosts file as it was read. */
export interface KnownHostsText {
  readonly file: string;
  readonly text: string;
}

/** Where a line stands. */
export interface KnownHostsPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** One line of a known_hosts file. */
interface KnownHostLine extends KnownHostsPlace {
  readonly marker: "" | "@revoked" | "@cert-authority";
  readonly patterns: string;
  readonly type: string;
  readonly key: Buffer;
}

/** What known_hosts says of a host's key. */
export type HostKeyVerdict =
  | { readonly kind: "known" }
  | ({ readonly kind: "revoked" } & KnownHostsPlace)
  /** The host is known with another key: somebody may be in between. */
  | ({ readonly kind: "changed" } & KnownHostsPlace)
  /** Only a certificate authority speaks for this host, and this key is no certificate. */
  | ({ readonly kind: "authority" } & KnownHostsPlace)
  | { readonly kind: "unknown" };

/**
 * The names by which a host is looked up: its alias, or its address with the port where that is not 22.
 * `fallback` is the address alone: a key that is known for it is known at its other ports, too, as with ssh(1).
 */
export interface HostNames {
  readonly name: string;
  readonly fallback?: string;
}

/** The names of a host. @see https://man.openbsd.org/ssh_config.5#HostKeyAlias */
export function hostNames(host: string, port: number, alias?: string): HostNames {
  if (alias !== undefined) return { name: alias.toLowerCase() };
  const name = host.toLowerCase();
  return port === 22 ? { name } : { name: `[${name}]:${port}`, fallback: name };
}

/**
 * The content of known_hosts files: plain and hashed names, `[host]:port`, wildcards, `!`, `@revoked`, `@cert-authority`.
 * @see sshd(8), SSH_KNOWN_HOSTS FILE FORMAT
 */
export class KnownHosts {
  readonly #lines: KnownHostLine[];

  constructor(files: readonly KnownHostsText[]) {
    this.#lines = files.flatMap(({ file, text }) => parseKnownHosts(file, text));
  }

  /** Key types that this host is known by, to be asked for first: another type's key could not be checked. */
  keyTypes(names: HostNames): readonly string[] {
    const own = this.#plain(names.name);
    const lines = own.length > 0 || names.fallback === undefined ? own : this.#plain(names.fallback);
    return lines.map(({ type }) => type);
  }

  /** Checks a key as the server sent it. */
  check(names: HostNames, key: Buffer): HostKeyVerdict {
    const revoked = [names.name, ...(names.fallback === undefined ? [] : [names.fallback])]
      .flatMap((name) => this.#matching(name))
      .find((line) => line.marker === "@revoked" && line.key.equals(key));
    if (revoked !== undefined) return { kind: "revoked", file: revoked.file, line: revoked.line };
    const plain = this.#plain(names.name);
    if (plain.some((line) => line.key.equals(key))) return { kind: "known" };
    // ssh(1) would take a key of a type that it does not know the host by for a new one; whoever is in between could
    // always offer such a type.
    const other = plain.find((line) => line.type === keyType(key)) ?? plain[0];
    if (other !== undefined) return { kind: "changed", file: other.file, line: other.line };
    if (names.fallback !== undefined && this.#plain(names.fallback).some((line) => line.key.equals(key))) {
      return { kind: "known" };
    }
    const authority = this.#matching(names.name).find(({ marker }) => marker === "@cert-authority");
    if (authority !== undefined) return { kind: "authority", file: authority.file, line: authority.line };
    return { kind: "unknown" };
  }

  /** A key that was just accepted. */
  add(file: string, names: HostNames, key: Buffer): void {
    const line = { marker: "", patterns: names.name, type: keyType(key), key, file, line: 0 } as const;
    this.#lines.push(line);
  }

  #plain(name: string): readonly KnownHostLine[] {
    return this.#matching(name).filter(({ marker }) => marker === "");
  }

  #matching(name: string): readonly KnownHostLine[] {
    return this.#lines.filter(({ patterns }) => matches(patterns, name));
  }
}

/** One line as it is appended to a file. */
export function renderKnownHost(names: HostNames, key: Buffer): string {
  return `${names.name} ${keyType(key)} ${key.toString("base64")}\n`;
}

/** The type that a key's own bytes name: RFC 4253, section 6.6. */
export function keyType(key: Buffer): string {
  return key.length < 4 ? "" : key.toString("latin1", 4, 4 + key.readUInt32BE(0));
}

function parseKnownHosts(file: string, text: string): readonly KnownHostLine[] {
  return text.split(/\r?\n/).flatMap((raw, index): KnownHostLine[] => {
    const fields = raw.trim().split(/\s+/);
    const marker = fields[0]?.startsWith("@") ? (fields.shift() ?? "") : "";
    const [patterns, type, encoded] = fields;
    if (patterns === undefined || patterns.startsWith("#") || type === undefined || encoded === undefined) return [];
    if (marker !== "" && marker !== "@revoked" && marker !== "@cert-authority") return [];
    const key = Buffer.from(encoded, "base64");
    // A line whose key is of another type than it says is broken, and vouches for nothing.
    return keyType(key) === type ? [{ marker, patterns, type, key, file, line: index + 1 }] : [];
  });
}

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith("|1|")) return matchesHash(patterns, name);
  let matched = false;
  for (const pattern of patterns.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

/** `*` is any text, `?` any one character. Linear in what it compares: a hostile pattern must not take for ever. */
function matchesPattern(pattern: string, name: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  let index = 0;
  while (index < name.length) {
    const wanted = pattern[at];
    if (wanted === "*") {
      [star, mark] = [at, index];
      at += 1;
    } else if (wanted === "?" || wanted === name[index]) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      mark += 1;
      [at, index] = [star + 1, mark];
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, keyed by the salt. */
function matchesHash(patterns: string, name: string): boolean {
  const [, , salt = "", hash = ""] = patterns.split("|");
  const wanted = Buffer.from(hash, "base64");
  const got = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === got.length && timingSafeEqual(wanted, got);
}
