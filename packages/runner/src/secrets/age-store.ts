import { globSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Secret } from "../secret.ts";
import { type AgeLock, type AgeOpener, isSealedWithAge, needsPassphrase, openAge, sealFor } from "./age.ts";
import {
  type AgeKey,
  identitiesOf,
  missingKey,
  newIdentity,
  parseRecipients,
  readAgeKey,
  readIfThere,
  recipientsFor,
  recipientsOf,
} from "./age-file.ts";
import { type AgeOptions, keyFileFor, readPassphrase } from "./age-provider.ts";
import { SecretsError } from "./reference.ts";
import { replaceFile } from "./replace-file.ts";

/** A sealed file that was opened, with all that it takes to seal it again. */
export interface OpenedFile {
  readonly path: string;
  readonly text: Secret;
  readonly lock: AgeLock;
  readonly opener: AgeOpener;
  /** Undefined where a passphrase opens it. */
  readonly key: AgeKey | undefined;
}

/** Opens a sealed file. @throws SecretsError where it is not there, or its key or passphrase is not */
export async function openForEditing(path: string, options: AgeOptions): Promise<OpenedFile> {
  const content = await readIfThere(path);
  if (content === undefined) throw new SecretsError(`there is no ${path}`, { hint: `kb secrets create ${path}` });
  if (!isSealedWithAge(content)) {
    throw new SecretsError(`${path} is not sealed with age`, { hint: `kb secrets encrypt ${path} seals it` });
  }
  if (await needsPassphrase(content, path)) {
    const passphrase = await readPassphrase(path, options.ask);
    const opener = { kind: "passphrase", passphrase } as const;
    return { path, opener, lock: opener, key: undefined, text: await openAge(content, opener, path, "the passphrase") };
  }
  const key = await readAgeKey(keyFileFor(path, options));
  if (key === undefined) throw missingKey(path, keyFileFor(path, options));
  const opener = { kind: "identities", identities: identitiesOf(key) } as const;
  const text = await openAge(content, opener, path, key.path);
  return { path, text, opener, key, lock: { kind: "recipients", recipients: await recipientsFor(path, key) } };
}

/**
 * Seals a text into a file, once it is proved that it can be opened again.
 * @throws SecretsError, with the file left as it was
 */
export async function writeSealed(path: string, text: Secret, lock: AgeLock, opener: AgeOpener): Promise<void> {
  const sealed = await sealFor(text, lock);
  let again: Secret;
  try {
    again = await openAge(Buffer.from(sealed), opener, path, "your own key");
  } catch (cause) {
    throw new SecretsError(`${path} is left as it is: sealed like that, you could not open it yourself`, {
      hint: "name your own public key, too: --recipient age1...",
      cause,
    });
  }
  if (!again.equals(text)) throw new SecretsError(`${path} is left as it is: what was sealed opens to something else`);
  await replaceFile(path, sealed);
}

/** What seals a file that is not there yet: the lines of `PATH.recipients`, else a key, which is made where there is none. */
export async function lockForNew(
  path: string,
  options: AgeOptions,
): Promise<Pick<OpenedFile, "lock" | "opener"> & { readonly madeKey: string | undefined }> {
  const keyFile = keyFileFor(path, options);
  let key = await readAgeKey(keyFile);
  const madeKey = key === undefined ? keyFile : undefined;
  if (key === undefined) {
    await replaceFile(keyFile, (await newIdentity()).content);
    key = await readAgeKey(keyFile);
  }
  if (key === undefined) throw missingKey(path, keyFile);
  const opener = { kind: "identities", identities: identitiesOf(key) } as const;
  return { opener, madeKey, lock: { kind: "recipients", recipients: await recipientsFor(path, key) } };
}

/** What a file is sealed with from now on. */
export type NewLock =
  | { readonly kind: "new-key" }
  | { readonly kind: "recipients"; readonly recipients: readonly string[] }
  | { readonly kind: "passphrase"; readonly passphrase: Secret };

/** What a rotation did, for the operator. */
export interface Rotation {
  readonly files: readonly string[];
  /** The key's file, where it has a new identity. */
  readonly keyFile: string | undefined;
  /** Sealed files beside the key that still need the old identity, which therefore stays in the key's file. */
  readonly stillOld: readonly string[];
}

/**
 * Seals files anew: with a new identity in the key's file, for other recipients, or with a passphrase. Everything is
 * opened before anything is written; each file is replaced only by what was proved to open to the same text. Stopped
 * anywhere, every file can still be opened by what the key's file then holds.
 * @throws SecretsError that names the file at which it stopped
 */
export async function rotate(paths: readonly string[], to: NewLock, options: AgeOptions): Promise<Rotation> {
  const files: OpenedFile[] = [];
  for (const path of paths) files.push(await openForEditing(path, options));
  if (to.kind === "new-key") return rotateKey(files);
  for (const { path, text, opener } of files) {
    const list = `${path}.recipients`;
    if (to.kind === "passphrase") {
      await writeSealed(path, text, to, to);
      await rm(list, { force: true });
    } else {
      const recipients = parseRecipients(to.recipients.join("\n"), "--recipient");
      const own = await openerFor(path, opener, options);
      const before = await readIfThere(list);
      // First who is to read it: an edit that comes in between must not seal it for the old ones again.
      await replaceFile(list, `${recipients.join("\n")}\n`);
      try {
        await writeSealed(path, text, { kind: "recipients", recipients }, own);
      } catch (error) {
        await (before === undefined ? rm(list, { force: true }) : replaceFile(list, before.toString("utf8")));
        throw error;
      }
    }
  }
  return { files: paths, keyFile: undefined, stillOld: [] };
}

/** Who opens the file for recipients after it was sealed with a passphrase: the holder of the key. */
async function openerFor(path: string, opener: AgeOpener, options: AgeOptions): Promise<AgeOpener> {
  if (opener.kind === "identities") return opener;
  const key = await readAgeKey(keyFileFor(path, options));
  if (key === undefined) throw missingKey(path, keyFileFor(path, options));
  return { kind: "identities", identities: identitiesOf(key) };
}

async function rotateKey(files: readonly OpenedFile[]): Promise<Rotation> {
  const [key, ...others] = new Map(files.map((file) => [file.key?.path, file.key])).values();
  if (key === undefined || others.length > 0) {
    throw new SecretsError("these files are not sealed with one key", {
      hint: "rotate the files of each key by themselves",
    });
  }
  const fresh = await newIdentity();
  const old = new Set(await recipientsOf(key));
  // Both identities are there until every file is sealed with the new one.
  await replaceFile(key.path, `${fresh.content}${key.content.reveal()}`);
  const opener: AgeOpener = {
    kind: "identities",
    identities: identitiesOf({ ...key, content: new Secret(fresh.content) }),
  };
  for (const { path, text, lock } of files) {
    const recipients = lock.kind === "recipients" ? lock.recipients.filter((recipient) => !old.has(recipient)) : [];
    const list = await readIfThere(`${path}.recipients`);
    const all = [fresh.recipient, ...recipients];
    if (list !== undefined) await replaceFile(`${path}.recipients`, `${all.join("\n")}\n`);
    await writeSealed(path, text, { kind: "recipients", recipients: all }, opener);
  }
  const stillOld = await notOpenedBy(opener, key.path, files);
  if (stillOld.length === 0) await replaceFile(key.path, fresh.content);
  return { files: files.map(({ path }) => path), keyFile: key.path, stillOld };
}

/** Sealed files beside the key, and beside the rotated files, that the new identity does not open. */
async function notOpenedBy(
  opener: AgeOpener,
  keyFile: string,
  files: readonly OpenedFile[],
): Promise<readonly string[]> {
  const folders = new Set([keyFile, ...files.map(({ path }) => path)].map((path) => dirname(resolve(path))));
  const sealed = [...folders].flatMap((folder) =>
    globSync("**/*.age", { cwd: folder }).map((name) => join(folder, name)),
  );
  const closed: string[] = [];
  for (const path of new Set(sealed)) {
    const content = await readIfThere(path);
    if (content === undefined || !isSealedWithAge(content) || (await needsPassphrase(content, path))) continue;
    await openAge(content, opener, path, keyFile).catch(() => closed.push(path));
  }
  return closed;
}
