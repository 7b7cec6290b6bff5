import { readFile, stat } from "node:fs/promises";
import type { Decrypter } from "age-encryption";
import { Secret } from "../secret.ts";
import { SecretsError } from "./reference.ts";

/** A text at rest on the controller, sealed with age, and the key that opens it. */
export interface AgeFile {
  /** The file and its content, armored; undefined where it does not exist yet. */
  readonly path: string;
  readonly sealed: string | undefined;
  /** The clear text; undefined where the file does not exist yet. */
  readonly text: Secret | undefined;
  readonly key: AgeKey;
}

/** An identity in a file of its own. */
export interface AgeKey {
  readonly path: string;
  /** Whether the file is there; otherwise the identity was just made, and has to be written. */
  readonly exists: boolean;
  /** Content of the file: a comment with the public key, and the identity. */
  readonly content: Secret;
}

/**
 * Reads a sealed file and its key. Nothing is written: where there is neither, a new identity is made in memory, and
 * both are the caller's to write ({@link sealed}).
 * @throws SecretsError for a sealed file without its key, a key that others may read, a key that does not fit
 * @see https://age-encryption.org/v1
 */
export async function readAgeFile(path: string, keyPath: string): Promise<AgeFile> {
  const sealed = await readIfThere(path);
  const key = (await readKey(keyPath)) ?? (await makeKey(keyPath, path, sealed !== undefined));
  return { path, sealed, key, text: sealed === undefined ? undefined : await open(path, sealed, key) };
}

/**
 * What the sealed file should hold for this text: what it holds already, where that opens to the same text. Sealing is
 * never the same twice, and a file should not change without a reason.
 */
export async function sealed(file: AgeFile, text: Secret): Promise<string> {
  if (file.sealed !== undefined && file.text?.equals(text)) return file.sealed;
  const { armor, Encrypter, identityToRecipient } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const identity of identitiesOf(file.key)) encrypter.addRecipient(await identityToRecipient(identity));
  return armor.encode(await encrypter.encrypt(text.reveal()));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new SecretsError(`cannot read ${path}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

async function readKey(path: string): Promise<AgeKey | undefined> {
  const content = await readIfThere(path);
  if (content === undefined) return undefined;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new SecretsError(`the key ${path} can be read by others (mode ${(mode & 0o7777).toString(8)})`, {
      hint: `chmod 600 ${path}`,
    });
  }
  const key: AgeKey = { path, exists: true, content: new Secret(content) };
  if (identitiesOf(key).length === 0) throw new SecretsError(`${path} holds no identity (AGE-SECRET-KEY-1...)`);
  return key;
}

async function makeKey(path: string, sealedPath: string, isNeeded: boolean): Promise<AgeKey> {
  if (isNeeded) {
    throw new SecretsError(`${sealedPath} is sealed, and its key ${path} is missing`, {
      hint: "put the key back there, or name it in KB_AGE_KEY_FILE",
    });
  }
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateX25519Identity();
  const content = `# public key: ${await identityToRecipient(identity)}\n${identity}\n`;
  return { path, exists: false, content: new Secret(content) };
}

/** The public keys (`age1...`) to which only the holder of this key can open what is sealed. */
export async function recipientsOf(key: AgeKey): Promise<readonly string[]> {
  const { identityToRecipient } = await import("age-encryption");
  return Promise.all(identitiesOf(key).map((identity) => identityToRecipient(identity)));
}

function identitiesOf(key: AgeKey): readonly string[] {
  return key.content
    .reveal()
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("AGE-SECRET-KEY-"));
}

async function open(path: string, text: string, key: AgeKey): Promise<Secret> {
  const { armor, Decrypter } = await import("age-encryption");
  const decrypter: Decrypter = new Decrypter();
  try {
    for (const identity of identitiesOf(key)) decrypter.addIdentity(identity);
    return new Secret(await decrypter.decrypt(armor.decode(text), "text"));
  } catch (cause) {
    throw new SecretsError(`${key.path} does not open ${path}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: "is it another's key, or is the file damaged? Name the right key in KB_AGE_KEY_FILE",
      cause,
    });
  }
}
