import { readFile, stat } from "node:fs/promises";
import { Secret } from "../secret.ts";
import { openAge, sealFor } from "./age.ts";
import { SecretsError } from "./reference.ts";

/** A text at rest on the controller, sealed with age, and the key that opens it. */
export interface AgeFile {
  /** The file and its content, armored; undefined where it does not exist yet. */
  readonly path: string;
  readonly sealed: string | undefined;
  /** The clear text; undefined where the file does not exist yet. */
  readonly text: Secret | undefined;
  readonly key: AgeKey;
  /** For whom it is sealed: the lines of `PATH.recipients` where that is there, else the holder of the key. */
  readonly recipients: readonly string[];
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
  const sealed = (await readIfThere(path))?.toString("utf8");
  const key = (await readAgeKey(keyPath)) ?? (await makeKey(keyPath, path, sealed !== undefined));
  const recipients = await recipientsFor(path, key);
  return { path, sealed, key, recipients, text: sealed === undefined ? undefined : await open(path, sealed, key) };
}

/**
 * What the sealed file should hold for this text: what it holds already, where that opens to the same text. Sealing is
 * never the same twice, and a file should not change without a reason.
 */
export async function sealed(file: AgeFile, text: Secret): Promise<string> {
  if (file.sealed !== undefined && file.text?.equals(text)) return file.sealed;
  return sealFor(text, { kind: "recipients", recipients: file.recipients });
}

/** A file's content, or undefined where it is not there. @throws SecretsError where it cannot be read */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new SecretsError(`cannot read ${path}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

/** The identities of a key file; undefined where there is no such file. @throws SecretsError where others may read it */
export async function readAgeKey(path: string): Promise<AgeKey | undefined> {
  const content = await readIfThere(path);
  if (content === undefined) return undefined;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new SecretsError(`the key ${path} can be read by others (mode ${(mode & 0o7777).toString(8)})`, {
      hint: `chmod 600 ${path}`,
    });
  }
  const key: AgeKey = { path, exists: true, content: new Secret(content.toString("utf8")) };
  if (identitiesOf(key).length === 0) throw new SecretsError(`${path} holds no identity (AGE-SECRET-KEY-1...)`);
  return key;
}

/** A new identity, as the content of a key file; and its public half. */
export async function newIdentity(): Promise<{ readonly content: string; readonly recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  return { content: `# public key: ${recipient}\n${identity}\n`, recipient };
}

/** The public keys (`age1...`) to which only the holder of this key can open what is sealed. */
export async function recipientsOf(key: AgeKey): Promise<readonly string[]> {
  const { identityToRecipient } = await import("age-encryption");
  return Promise.all(identitiesOf(key).map((identity) => identityToRecipient(identity)));
}

/** The identities in a key file. */
export function identitiesOf(key: AgeKey): readonly string[] {
  return key.content
    .reveal()
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("AGE-SECRET-KEY-"));
}

/** Whom a file is sealed for: who is listed in `PATH.recipients`, else the holder of the key. */
export async function recipientsFor(path: string, key: AgeKey): Promise<readonly string[]> {
  const list = await readIfThere(`${path}.recipients`);
  return list === undefined ? recipientsOf(key) : parseRecipients(list.toString("utf8"), `${path}.recipients`);
}

/** The public keys of a list, one a line, `#` before comments. @throws SecretsError for anything else */
export function parseRecipients(text: string, file: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line, index) => ({ line: line.replace(/#.*/, "").trim(), number: index + 1 }));
  const recipients = lines.filter(({ line }) => line !== "");
  const wrong = recipients.find(({ line }) => !/^age1[a-z0-9]+$/.test(line));
  if (wrong !== undefined) throw new SecretsError(`${file}:${wrong.number}: this is no public key of age (age1...)`);
  if (recipients.length === 0) throw new SecretsError(`${file} lists nobody`);
  return recipients.map(({ line }) => line);
}

async function makeKey(path: string, sealedPath: string, isNeeded: boolean): Promise<AgeKey> {
  if (isNeeded) throw missingKey(sealedPath, path);
  return { path, exists: false, content: new Secret((await newIdentity()).content) };
}

/** For a sealed file whose key is not there. */
export function missingKey(sealedPath: string, keyPath: string): SecretsError {
  return new SecretsError(`${sealedPath} is sealed, and its key ${keyPath} is missing`, {
    hint: "put the key back there, or name it in KB_AGE_KEY_FILE",
  });
}

async function open(path: string, text: string, key: AgeKey): Promise<Secret> {
  return openAge(Buffer.from(text), { kind: "identities", identities: identitiesOf(key) }, path, key.path);
}
