import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Secret } from "../secret.ts";
import { describeEnd, runProgram } from "../transport/program.ts";
import { noPassword, openVaulted, parseVaulted, type ReadVaulted } from "./ansible-vault.ts";
import type { AskSecret } from "./provider.ts";
import { SecretsError } from "./reference.ts";

/** Where a password of Ansible Vault is to be had. */
export interface VaultPassword {
  /** Its label; undefined for the one without. */
  readonly id: string | undefined;
  /** A file, or a program that prints it; `undefined` where it is to be asked for. */
  readonly file: string | undefined;
}

const TIMEOUT_MS = 60_000;

/** Reads `--vault-id`: `LABEL@FILE`, `LABEL@prompt`, `FILE` or `prompt`, as Ansible takes them. */
export function parseVaultId(text: string): VaultPassword {
  const split = text.indexOf("@");
  const [id, source] = split < 0 ? [undefined, text] : [text.slice(0, split) || undefined, text.slice(split + 1)];
  return { id, file: /^prompt(?:_ask_vault_pass)?$/.test(source) ? undefined : source };
}

/**
 * Opens what is sealed with Ansible Vault by the passwords there are: the one of its label first, then the others. Each
 * is read, or asked for, once, and only when something has to be opened.
 * @param directory what files are relative to
 */
export function vaultReader(
  passwords: readonly VaultPassword[],
  directory: string,
  ask: AskSecret = async () => undefined,
): ReadVaulted {
  const read = new Map<VaultPassword, Promise<Secret>>();
  return async (text, place) => {
    const vaulted = parseVaulted(text, place);
    if (passwords.length === 0) throw noPassword(place, vaulted.id);
    const matching = passwords.filter(({ id }) => id === vaulted.id);
    const others = passwords.filter((password) => !matching.includes(password));
    for (const password of [...matching, ...others]) {
      const secret = read.get(password) ?? readPassword(password, directory, ask);
      read.set(password, secret);
      const clear = await openVaulted(vaulted, await secret);
      if (clear !== undefined) return clear;
    }
    throw new SecretsError(`none of the vault passwords opens ${place}`, {
      detail: `tried: ${[...matching, ...others].map(describe).join(", ")}`,
      hint:
        vaulted.id === undefined ? undefined : `it was sealed with the id ${vaulted.id}: --vault-id ${vaulted.id}@FILE`,
    });
  };
}

function describe({ id, file }: VaultPassword): string {
  return `${id === undefined ? "" : `${id}@`}${file ?? "prompt"}`;
}

async function readPassword({ id, file }: VaultPassword, directory: string, ask: AskSecret): Promise<Secret> {
  const label = id === undefined ? "" : ` (${id})`;
  const password =
    file === undefined ? await ask(`Vault password${label}: `) : await readFrom(resolve(directory, file), id);
  if (password === undefined) {
    throw new SecretsError(`there is no terminal to ask for the vault password${label} on`, {
      hint: "name a file that holds it: --vault-password-file FILE",
    });
  }
  if (password.reveal() === "") throw new SecretsError(`the vault password${label} is empty`);
  return password;
}

/** A program among the files is started; one whose name ends in `-client` is told which password is wanted. */
async function readFrom(file: string, id: string | undefined): Promise<Secret> {
  if (!isExecutable(file)) {
    try {
      return new Secret((await readFile(file, "utf8")).trim());
    } catch (cause) {
      throw new SecretsError(`cannot read the vault password file ${file}`, {
        detail: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }
  const isClient = /-client(?:\.[^.]*)?$/.test(basename(file));
  const end = await runProgram([file, ...(isClient && id !== undefined ? ["--vault-id", id] : [])], {
    timeoutMs: TIMEOUT_MS,
  });
  if (end.kind === "exited" && end.exitCode === 0) return new Secret(end.stdout.replace(/[\r\n]+$/, ""));
  throw new SecretsError(`the program that prints the vault password failed: ${file}`, {
    detail: [describeEnd(end), end.stderr.trim()].filter((line) => line !== "").join("\n"),
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
