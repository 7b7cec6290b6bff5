import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** SHA-1 of the concatenated parts. */
export function sha1(...parts: Buffer[]): Buffer {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

/** Twenty random bytes, none of them 0 or `$`, as the greeting of a server needs them. */
export function newScramble(): Buffer {
  return Buffer.from(randomBytes(20).map((byte) => (byte % 0x7d) + 1)).map((byte) =>
    byte === 0x24 ? 0x25 : byte,
  ) as Buffer;
}

/** The `*40HEX` form of a password: what MYSQL_NATIVE_PASSWORD() and MariaDB's PASSWORD() give. */
export function nativeHash(password: string): string {
  return `*${sha1(sha1(Buffer.from(password)))
    .toString("hex")
    .toUpperCase()}`;
}

/** Answers a server's scramble, knowing SHA1(password). An empty answer stands for no password. */
export function answerScramble(scramble: Buffer, passwordSha1: Buffer | null): Buffer {
  if (passwordSha1 === null) return Buffer.alloc(0);
  return xor(passwordSha1, sha1(scramble, sha1(passwordSha1)));
}

/** SHA1(password), or null for the empty password: all that a connection to a backend needs. */
export function passwordSha1(password: string): Buffer | null {
  return password === "" ? null : sha1(Buffer.from(password));
}

/**
 * Verifies a client's answer to the scramble against a stored password, in clear or as `*40HEX`.
 *
 * @returns false if it does not match, else SHA1(password) (null for the empty password): the answer to the scramble
 *   reveals it to whoever knows the stored hash, which is how a proxy that holds only the hash logs in at the backend.
 */
export function verifyAnswer(stored: string, scramble: Buffer, answer: Buffer): Buffer | null | false {
  if (stored === "") return answer.length === 0 ? null : false;
  if (answer.length !== 20) return false;
  const hashed = /^\*[0-9A-F]{40}$/i.test(stored);
  const expected = hashed ? Buffer.from(stored.slice(1), "hex") : sha1(sha1(Buffer.from(stored)));
  const candidate = xor(answer, sha1(scramble, expected));
  return timingSafeEqual(sha1(candidate), expected) ? candidate : false;
}
