import type { AskSecret, ReadVaulted, VaultPassword } from "@keybuzz/runner";

const given: string[] = [];

/** Notes what a flag of the command line says of Ansible Vault's passwords: `LABEL@FILE`, `FILE`, `prompt`. */
export function giveVaultId(text: string): string {
  given.push(text);
  return text;
}

/**
 * Where Ansible Vault's passwords are to be had: the flags `--vault-id`, `--vault-password-file` and `--ask-vault-pass`, in
 * their order, then Ansible's own variables.
 * @see https://docs.ansible.com/ansible/latest/reference_appendices/config.html#default-vault-password-file
 */
export function vaultIds(env: NodeJS.ProcessEnv): readonly string[] {
  const list = env["ANSIBLE_VAULT_IDENTITY_LIST"]?.split(",").map((id) => id.trim()) ?? [];
  return [...given, ...list, env["ANSIBLE_VAULT_PASSWORD_FILE"] ?? ""].filter((id) => id !== "");
}

let reader: { readonly directory: string; readonly read: ReadVaulted } | undefined;

/** Opens what Ansible Vault has sealed, for this command line: each password is read or asked for once. */
export async function readVaultedHere(directory: string): Promise<ReadVaulted> {
  if (reader?.directory === directory) return reader.read;
  const { parseVaultId, vaultReader } = await import("@keybuzz/runner");
  const passwords: readonly VaultPassword[] = vaultIds(process.env).map(parseVaultId);
  const ask: AskSecret = async (question) => {
    const { askSecret } = await import("./ask-secret.ts");
    return askSecret(question);
  };
  reader = { directory, read: vaultReader(passwords, directory, ask) };
  return reader.read;
}
