import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type AgeOptions,
  type AskSecret,
  lockForNew,
  type NewLock,
  openForEditing,
  type Rotation,
  rotate,
  Secret,
  SecretsError,
  writeSealed,
} from "@keybuzz/runner";
import { askSecret } from "../ask-secret.ts";
import { CommandLineError } from "../usage-error.ts";
import { readVaultedHere } from "../vault-passwords.ts";
import { editText } from "./edit-text.ts";

/** What a `kb secrets` command says of keys. */
export interface SecretsRequest {
  readonly file: string;
  readonly directory: string;
  /** The age identity; `KB_AGE_KEY_FILE`'s, else `age.key` beside the file, unless given. */
  readonly keyFile?: string | undefined;
}

/** The clear text of a file that is sealed with age or with Ansible Vault. @throws SecretsError */
export async function viewSecret(request: SecretsRequest): Promise<Secret> {
  const path = resolve(request.directory, request.file);
  const vaulted = await vaultedText(path);
  if (vaulted !== undefined) return (await readVaultedHere(request.directory))(vaulted, request.file);
  return (await openForEditing(path, ageOptions(request))).text;
}

/** Edits a sealed file. @returns whether its text changed: only then is it written */
export async function editSecret(request: SecretsRequest): Promise<boolean> {
  const path = resolve(request.directory, request.file);
  if ((await vaultedText(path)) !== undefined) {
    throw new SecretsError(`${request.file} is sealed with Ansible Vault, which kb only reads`, {
      hint: `ansible-vault edit ${request.file}`,
    });
  }
  const opened = await openForEditing(path, ageOptions(request));
  const text = await editText(opened.text, path);
  if (text.equals(opened.text)) return false;
  await writeSealed(path, text, opened.lock, opened.opener);
  return true;
}

/** What making a sealed file did. */
export interface Created {
  /** Undefined where nothing was written: the editor left the text empty. */
  readonly path: string | undefined;
  /** The key's file, where it had to be made. */
  readonly madeKey: string | undefined;
}

/** Makes a sealed file of what the operator types in an editor. @throws SecretsError where it is there already */
export async function createSecret(request: SecretsRequest): Promise<Created> {
  const path = resolve(request.directory, request.file);
  refuseExisting(path, `kb secrets edit ${request.file}`);
  const text = await editText(new Secret(""), path);
  return text.reveal() === "" ? { path: undefined, madeKey: undefined } : sealNew(path, text, request);
}

/** Seals a plain file into `FILE.age`, or what `-o` names. The plain one stays. @throws SecretsError */
export async function encryptFile(request: SecretsRequest, output: string | undefined): Promise<Created> {
  const plain = resolve(request.directory, request.file);
  const path = resolve(request.directory, output ?? `${request.file}.age`);
  refuseExisting(path, "name another with -o FILE");
  let text: Secret;
  try {
    text = new Secret(await readFile(plain, "utf8"));
  } catch (cause) {
    throw new SecretsError(`cannot read ${plain}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  return sealNew(path, text, request);
}

async function sealNew(path: string, text: Secret, request: SecretsRequest): Promise<Created> {
  const { lock, opener, madeKey } = await lockForNew(path, ageOptions(request));
  await writeSealed(path, text, lock, opener);
  return { path, madeKey };
}

/** How `rotate-key` is to seal from now on. */
export interface RotationRequest extends Omit<SecretsRequest, "file"> {
  readonly files: readonly string[];
  readonly recipients: readonly string[];
  readonly passphrase: boolean;
}

/** Seals files anew: for recipients, with a passphrase, or with a new key. @throws SecretsError, CommandLineError */
export async function rotateKey(request: RotationRequest): Promise<Rotation> {
  const { files, recipients, passphrase, directory } = request;
  const paths = [...new Set(files.map((file) => resolve(directory, file)))];
  const to: NewLock = passphrase
    ? { kind: "passphrase", passphrase: await askNewPassphrase(askSecret) }
    : recipients.length > 0
      ? { kind: "recipients", recipients }
      : { kind: "new-key" };
  return rotate(paths, to, ageOptions(request));
}

/** A passphrase typed twice. @throws CommandLineError where the two differ, or there is nobody to ask */
export async function askNewPassphrase(ask: AskSecret): Promise<Secret> {
  const first = await ask("new passphrase: ");
  if (first === undefined) {
    throw new CommandLineError("there is no terminal to ask for the passphrase on", { hint: "start kb on a terminal" });
  }
  if (first.reveal() === "") throw new CommandLineError("an empty passphrase protects nothing");
  const second = await ask("the same again: ");
  if (second?.equals(first) === true) return first;
  throw new CommandLineError("the two passphrases differ", { hint: "nothing is changed; try again" });
}

function ageOptions({ keyFile, directory }: Pick<SecretsRequest, "keyFile" | "directory">): AgeOptions {
  return { directory, ask: askSecret, ...(keyFile === undefined ? {} : { keyFile: resolve(directory, keyFile) }) };
}

function refuseExisting(path: string, hint: string): void {
  if (existsSync(path)) throw new SecretsError(`${path} is there already`, { hint });
}

async function vaultedText(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.startsWith("$ANSIBLE_VAULT;") ? text : undefined;
}
