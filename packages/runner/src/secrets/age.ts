import { Secret } from "../secret.ts";
import { SecretsError } from "./reference.ts";

/** Whom a text is sealed for. */
export type AgeLock =
  | { readonly kind: "recipients"; readonly recipients: readonly string[] }
  | { readonly kind: "passphrase"; readonly passphrase: Secret };

/** What opens a sealed text. */
export type AgeOpener =
  | { readonly kind: "identities"; readonly identities: readonly string[] }
  | { readonly kind: "passphrase"; readonly passphrase: Secret };

const ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----";
const MAGIC = "age-encryption.org/v1\n";

/** Whether a content is sealed with age, armored or not. */
export function isSealedWithAge(content: Buffer): boolean {
  const start = content.subarray(0, 64).toString("latin1").trimStart();
  return start.startsWith(ARMOR) || start.startsWith(MAGIC);
}

/** Whether a passphrase opens it, rather than a key. @throws SecretsError where it is not sealed with age */
export async function needsPassphrase(content: Buffer, path: string): Promise<boolean> {
  const bytes = await toBytes(content, path);
  return Buffer.from(bytes.subarray(0, 200)).toString("latin1").startsWith(`${MAGIC}-> scrypt `);
}

/** The clear text. @throws SecretsError that names file and key, and tells nothing of either's content */
export async function openAge(content: Buffer, opener: AgeOpener, path: string, keyName: string): Promise<Secret> {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  try {
    if (opener.kind === "passphrase") decrypter.addPassphrase(opener.passphrase.reveal());
    else for (const identity of opener.identities) decrypter.addIdentity(identity);
    return new Secret(await decrypter.decrypt(await toBytes(content, path), "text"));
  } catch (cause) {
    if (cause instanceof SecretsError) throw cause;
    throw new SecretsError(`${keyName} does not open ${path}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint:
        opener.kind === "passphrase"
          ? "type it again, or is the file damaged?"
          : "is it another's key, or is the file damaged? Name the right key in KB_AGE_KEY_FILE",
      cause,
    });
  }
}

/** A text sealed and armored. @throws SecretsError for a recipient that is none */
export async function sealFor(text: Secret, lock: AgeLock): Promise<string> {
  const { armor, Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  if (lock.kind === "passphrase") encrypter.setPassphrase(lock.passphrase.reveal());
  else {
    for (const recipient of lock.recipients) {
      try {
        encrypter.addRecipient(recipient);
      } catch (cause) {
        throw new SecretsError(`${recipient} is no public key of age`, {
          detail: cause instanceof Error ? cause.message : String(cause),
          hint: "it begins with age1, and is the comment in the key's file",
          cause,
        });
      }
    }
  }
  return armor.encode(await encrypter.encrypt(text.reveal()));
}

async function toBytes(content: Buffer, path: string): Promise<Uint8Array> {
  if (content.subarray(0, MAGIC.length).toString("latin1") === MAGIC) return content;
  const { armor } = await import("age-encryption");
  try {
    return armor.decode(content.toString("utf8"));
  } catch (cause) {
    throw new SecretsError(`${path} does not open: it is damaged, or not sealed with age`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
