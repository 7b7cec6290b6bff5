import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Secret } from "../secret.ts";
import { needsPassphrase, openAge } from "./age.ts";
import { identitiesOf, missingKey, readAgeKey, readIfThere } from "./age-file.ts";
import type { AskSecret, SecretProvider } from "./provider.ts";
import { SecretsError } from "./reference.ts";

/** What opening files that are sealed with age may need. */
export interface AgeOptions {
  /** What files are relative to; the working directory unless given. */
  readonly directory?: string;
  /** File of the identity; `KB_AGE_KEY_FILE`'s, else `age.key` beside the sealed file, unless given. */
  readonly keyFile?: string;
  /** For passphrases, where `KB_AGE_PASSPHRASE_FILE` names no file with it. */
  readonly ask?: AskSecret;
}

/** Secrets in files on the controller that are sealed with age. @see https://age-encryption.org/v1 */
export function ageProvider(options: AgeOptions = {}): SecretProvider {
  return {
    async read(location) {
      const path = resolve(options.directory ?? process.cwd(), location);
      return { kind: "text", text: await openSealedFile(path, options) };
    },
  };
}

/** The clear text of a sealed file. @throws SecretsError where it is not there, or its key or passphrase is not */
export async function openSealedFile(path: string, options: AgeOptions): Promise<Secret> {
  const content = await readIfThere(path);
  if (content === undefined) {
    throw new SecretsError(`there is no ${path}`, { hint: "kb secrets create makes one" });
  }
  if (await needsPassphrase(content, path)) {
    const passphrase = await readPassphrase(path, options.ask);
    return openAge(content, { kind: "passphrase", passphrase }, path, "the passphrase");
  }
  const keyFile = keyFileFor(path, options);
  const key = await readAgeKey(keyFile);
  if (key === undefined) throw missingKey(path, keyFile);
  return openAge(content, { kind: "identities", identities: identitiesOf(key) }, path, keyFile);
}

/** The file that holds the key of a sealed file. */
export function keyFileFor(path: string, { keyFile }: AgeOptions): string {
  return keyFile ?? process.env["KB_AGE_KEY_FILE"] ?? join(dirname(path), "age.key");
}

/** The passphrase of a file, from `KB_AGE_PASSPHRASE_FILE` or the operator. @throws SecretsError where there is neither */
export async function readPassphrase(path: string, ask: AskSecret | undefined): Promise<Secret> {
  const file = process.env["KB_AGE_PASSPHRASE_FILE"];
  if (file !== undefined) {
    try {
      return new Secret((await readFile(file, "utf8")).replace(/\r?\n$/, ""));
    } catch (cause) {
      throw new SecretsError(`cannot read ${file}, which KB_AGE_PASSPHRASE_FILE names`, {
        detail: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }
  const passphrase = await ask?.(`passphrase of ${path}: `);
  if (passphrase !== undefined) return passphrase;
  throw new SecretsError(`${path} is sealed with a passphrase, and there is no terminal to ask for it on`, {
    hint: "name a file that holds it in KB_AGE_PASSPHRASE_FILE",
  });
}
