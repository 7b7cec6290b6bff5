import { readFile } from "node:fs/promises";
import ssh2, { type ParsedKey } from "ssh2";
import type { Secret } from "../secret.ts";

/** What a key file turned out to be. */
export type KeyFile =
  | { readonly kind: "key"; readonly key: ParsedKey }
  | { readonly kind: "missing"; readonly why: string }
  | { readonly kind: "unreadable"; readonly why: string }
  /** Its passphrase was not given. The public half is known where the file shows it. */
  | { readonly kind: "locked"; readonly publicKey: Buffer | undefined; readonly text: Buffer };

/**
 * Asked for the passphrase of an encrypted key. `wrong` is set where the one before did not open it.
 * Undefined where nobody can be asked.
 */
export type AskPassphrase = (keyFile: string, wrong: boolean) => Promise<Secret | undefined>;

const ATTEMPTS = 3;

/** Reads a private key file, without asking for anything. */
export async function readKeyFile(file: string): Promise<KeyFile> {
  let text: Buffer;
  try {
    text = await readFile(file);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT")
      return { kind: "missing", why: "missing" };
    return { kind: "unreadable", why: cause instanceof Error ? cause.message : String(cause) };
  }
  const parsed = ssh2.utils.parseKey(text);
  if (!(parsed instanceof Error)) return { kind: "key", key: parsed };
  if (!/encrypted|passphrase/i.test(parsed.message)) return { kind: "unreadable", why: parsed.message };
  return { kind: "locked", publicKey: publicHalf(text) ?? (await publicFile(file)), text };
}

/** Opens an encrypted key with what is asked for, three times at most. */
export async function unlockKey(file: string, text: Buffer, ask: AskPassphrase): Promise<ParsedKey | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const passphrase = await ask(file, attempt > 0);
    if (passphrase === undefined) return undefined;
    const parsed = ssh2.utils.parseKey(text, passphrase.reveal());
    if (!(parsed instanceof Error)) return parsed;
  }
  return undefined;
}

async function publicFile(file: string): Promise<Buffer | undefined> {
  try {
    const [, encoded = ""] = (await readFile(`${file}.pub`, "utf8")).split(/\s+/);
    return encoded === "" ? undefined : Buffer.from(encoded, "base64");
  } catch {
    return undefined;
  }
}

const MAGIC = "openssh-key-v1\0";

/**
 * The public half of a private key in OpenSSH's own format, which is in clear beside the encrypted one.
 * @see https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key
 */
export function publicHalf(pem: Buffer): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(pem.toString("latin1"))?.[1];
  const data = Buffer.from(body ?? "", "base64");
  if (data.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  let at = MAGIC.length;
  const next = (): Buffer => {
    const length = data.readUInt32BE(at);
    const start = at + 4;
    at = start + length;
    return data.subarray(start, at);
  };
  try {
    // Cipher, key derivation, its options, and the number of keys, which is always 1.
    next();
    next();
    next();
    at += 4;
    return next();
  } catch {
    return undefined;
  }
}
