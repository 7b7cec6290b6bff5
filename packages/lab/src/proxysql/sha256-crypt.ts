import { createHash, randomBytes } from "node:crypto";

const ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ROUNDS = 5000;
/** Order in which the digest's bytes are encoded, three at a time. */
const GROUPS = [
  [0, 10, 20],
  [21, 1, 11],
  [12, 22, 2],
  [3, 13, 23],
  [24, 4, 14],
  [15, 25, 5],
  [6, 16, 26],
  [27, 7, 17],
  [18, 28, 8],
  [9, 19, 29],
] as const;

function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function repeated(block: Buffer, length: number): Buffer {
  return Buffer.alloc(length, block);
}

function initialDigest(password: Buffer, salt: Buffer): Buffer {
  const alternate = sha256(password, salt, password);
  const parts = [password, salt, password.length === 0 ? Buffer.alloc(0) : repeated(alternate, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? alternate : password);
  return sha256(...parts);
}

function encode(digest: Buffer): string {
  const encodeGroup = (value: number, characters: number): string =>
    Array.from({ length: characters }, (_, index) => ITOA64[(value >> (6 * index)) & 63]).join("");
  const at = (index: number): number => digest[index] ?? 0;
  const groups = GROUPS.map(([high, middle, low]) => encodeGroup((at(high) << 16) | (at(middle) << 8) | at(low), 4));
  return groups.join("") + encodeGroup((at(31) << 8) | at(30), 3);
}

/**
 * Encodes a password by SHA-256 crypt with 5000 rounds, without the `$5$salt$` head.
 *
 * @see https://www.akkadia.org/drepper/SHA-crypt.txt
 */
export function sha256Crypt(password: Buffer, salt: Buffer): string {
  let digest = initialDigest(password, salt);
  const p =
    password.length === 0 ? password : repeated(sha256(...Array(password.length).fill(password)), password.length);
  const s = repeated(sha256(...Array(16 + (digest[0] ?? 0)).fill(salt)), salt.length);
  for (let round = 0; round < ROUNDS; round++) {
    const parts = [round & 1 ? p : digest];
    if (round % 3) parts.push(s);
    if (round % 7) parts.push(p);
    parts.push(round & 1 ? digest : p);
    digest = sha256(...parts);
  }
  return encode(digest);
}

/**
 * The `$A$005$` form of a password, as ProxySQL's SQL function CACHING_SHA2_PASSWORD gives it.
 *
 * @param salt 20 bytes; a random one if left out.
 */
export function cachingSha2Hash(password: string, salt?: string): string {
  const random = (): string => Buffer.from(randomBytes(20).map((byte) => (byte % 0x7e) + 1)).toString("latin1");
  const bytes = Buffer.from((salt ?? random().replaceAll("$", "%")).slice(0, 20), "latin1");
  return `$A$005$${bytes.toString("latin1")}${sha256Crypt(Buffer.from(password), bytes)}`;
}
