import { createHmac, timingSafeEqual } from "node:crypto";

/** One line of a known_hosts file. */
interface KnownHostLine {
  readonly marker: string;
  readonly patterns: string;
  readonly type: string;
  readonly key: string;
  readonly line: number;
}

/** What known_hosts says of a host's key. */
export type HostKeyVerdict =
  | { readonly kind: "known" }
  | { readonly kind: "revoked"; readonly line: number }
  /** The host is known with another key of this type: somebody may be in between. */
  | { readonly kind: "changed"; readonly line: number }
  | { readonly kind: "unknown" };

/**
 * The content of known_hosts files: plain and hashed names, `[host]:port`, wildcards, `!`, `@revoked`.
 * `@cert-authority` lines are passed over: certificates are not supported.
 * @see sshd(8), SSH_KNOWN_HOSTS FILE FORMAT
 */
export class KnownHosts {
  readonly #lines: readonly KnownHostLine[];

  constructor(text: string) {
    this.#lines = text.split(/\r?\n/).flatMap((raw, index): KnownHostLine[] => {
      const fields = raw.trim().split(/\s+/);
      const marker = fields[0]?.startsWith("@") ? (fields.shift() ?? "") : "";
      const [patterns, type, key] = fields;
      if (patterns === undefined || patterns.startsWith("#") || type === undefined || key === undefined) return [];
      return [{ marker, patterns, type, key, line: index + 1 }];
    });
  }

  /** Key types that this host is known by, to be asked for first: another type's key could not be checked. */
  keyTypes(host: string, port: number): readonly string[] {
    return this.#matching(host, port)
      .filter(({ marker }) => marker === "")
      .map(({ type }) => type);
  }

  /** Checks a key as the server sent it. */
  check(host: string, port: number, key: Buffer): HostKeyVerdict {
    const encoded = key.toString("base64");
    const type = keyType(key);
    const lines = this.#matching(host, port);
    const revoked = lines.find((line) => line.marker === "@revoked" && line.key === encoded);
    if (revoked !== undefined) return { kind: "revoked", line: revoked.line };
    const plain = lines.filter(({ marker }) => marker === "");
    if (plain.some((line) => line.key === encoded)) return { kind: "known" };
    const other = plain.find((line) => line.type === type) ?? plain[0];
    return other === undefined ? { kind: "unknown" } : { kind: "changed", line: other.line };
  }

  #matching(host: string, port: number): readonly KnownHostLine[] {
    const name = knownHostName(host, port);
    return this.#lines.filter(({ patterns }) => matches(patterns, name));
  }
}

/** The name that a host has in known_hosts: `[host]:port` where the port is not 22. */
export function knownHostName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** The type that a key's own bytes name: RFC 4253, section 6.6. */
export function keyType(key: Buffer): string {
  return key.length < 4 ? "" : key.toString("latin1", 4, 4 + key.readUInt32BE(0));
}

function matches(patterns: string, name: string): boolean {
  if (patterns.startsWith("|1|")) return matchesHash(patterns, name);
  let matched = false;
  for (const pattern of patterns.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!");
    if (!toExpression(negated ? pattern.slice(1) : pattern).test(name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function toExpression(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, keyed by the salt. */
function matchesHash(patterns: string, name: string): boolean {
  const [, , salt = "", hash = ""] = patterns.split("|");
  const wanted = Buffer.from(hash, "base64");
  const got = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === got.length && timingSafeEqual(wanted, got);
}
