import { createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Sourced } from "../inventory/inventory.ts";
import { shown } from "../inventory/read-text.ts";
import { YamlFile } from "../inventory/yaml-file.ts";
import { Secret } from "../secret.ts";
import { SecretRef, SecretsError } from "./reference.ts";

/** Opens what Ansible Vault has sealed. @throws SecretsError that names the place */
export type ReadVaulted = (text: string, place: string) => Promise<Secret>;

/** A sealed text, taken apart. */
export interface VaultedText {
  /** The label of `$ANSIBLE_VAULT;1.2;AES256;LABEL`; undefined in version 1.1. */
  readonly id: string | undefined;
  readonly salt: Buffer;
  readonly hmac: Buffer;
  readonly ciphertext: Buffer;
}

/** Fixed by the format. @see https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html#ansible-vault-payload-format-1-1-1-2 */
const ITERATIONS = 10_000;

/**
 * Takes a sealed text apart: its header line, then the payload in hexadecimal twice over.
 * @param place for the error: the file, or `file:line:column`
 * @throws SecretsError where it is none
 */
export function parseVaulted(text: string, place: string): VaultedText {
  const [header = "", ...lines] = text.trim().split(/\r?\n/);
  const refuse = (problem: string): never => {
    throw new SecretsError(`${place}: ${problem}`, { hint: "is the text whole? ansible-vault view opens it, too" });
  };
  const [mark, version = "", cipher = "", id] = header.trim().split(";");
  if (mark !== "$ANSIBLE_VAULT")
    return refuse("this is not sealed with Ansible Vault: it does not begin with $ANSIBLE_VAULT");
  if (version !== "1.1" && version !== "1.2") return refuse(`version ${version} of Ansible Vault is not known`);
  if (cipher !== "AES256") return refuse(`Ansible Vault's cipher ${cipher} is not known`);
  const outer = fromHex(lines.map((line) => line.trim()).join(""));
  const [salt, hmac, ciphertext, ...more] = (outer?.toString("latin1") ?? "").split("\n").map(fromHex);
  if (salt === undefined || hmac?.length !== 32 || ciphertext === undefined || more.length > 0) {
    return refuse("the text sealed with Ansible Vault is damaged");
  }
  return { id: id?.trim() || undefined, salt, hmac, ciphertext };
}

/** The clear text, or undefined where the password is another. The text's authenticity is proved before it is opened. */
export async function openVaulted(vaulted: VaultedText, password: Secret): Promise<Secret | undefined> {
  const derived = await promisify(pbkdf2)(password.reveal(), vaulted.salt, ITERATIONS, 80, "sha256");
  const [key, hmacKey, counter] = [derived.subarray(0, 32), derived.subarray(32, 64), derived.subarray(64, 80)];
  const hmac = createHmac("sha256", hmacKey).update(vaulted.ciphertext).digest();
  if (!timingSafeEqual(hmac, vaulted.hmac)) return undefined;
  const decipher = createDecipheriv("aes-256-ctr", key, counter);
  const padded = Buffer.concat([decipher.update(vaulted.ciphertext), decipher.final()]);
  // PKCS #7: the last byte says how many there are to leave out.
  return new Secret(padded.subarray(0, padded.length - (padded.at(-1) ?? 0)).toString("utf8"));
}

/**
 * The vars of a file that is sealed as a whole: every text and number in it is a secret.
 * @throws SecretsError without a password
 */
export async function openVaultedVars(
  file: string,
  text: string,
  readVaulted: ReadVaulted | undefined,
): Promise<readonly (readonly [string, Sourced])[]> {
  const name = shown(file);
  if (readVaulted === undefined) throw noPassword(name);
  const clear = await readVaulted(text, name);
  try {
    const document = new YamlFile(file, clear.reveal(), () => {});
    return document.vars(document.root).map(([key, { value, source }]) => [key, { value: hidden(value), source }]);
  } catch {
    // What is wrong, and where, would tell of the text.
    throw new SecretsError(`${name}: what Ansible Vault has sealed there is no YAML map of vars`, {
      hint: `ansible-vault edit ${name}`,
    });
  }
}

/** A value whose parts nobody may see. Whether something is set, and to true or false, is no secret. */
function hidden(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "number") return new Secret(String(value));
  if (Array.isArray(value)) return value.map(hidden);
  if (typeof value !== "object" || value === null || value instanceof SecretRef) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, hidden(part)]));
}

/** For a place that needs a vault's password, where none was given. */
export function noPassword(place: string, id?: string): SecretsError {
  const label = id === undefined ? "" : ` with the id ${id}`;
  return new SecretsError(`${place} is sealed with Ansible Vault${label}, and there is no password for it`, {
    hint: "give one by --vault-password-file FILE, --vault-id ID@FILE or --ask-vault-pass",
  });
}

function fromHex(text: string): Buffer | undefined {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text)) return undefined;
  return Buffer.from(text, "hex");
}
