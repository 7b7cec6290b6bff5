import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Secret } from "../secret.ts";
import { SecretsError } from "./reference.ts";

/** How to reach Vault and as whom, from the variables that its own command line reads. */
export interface VaultConfig {
  readonly address: URL;
  readonly namespace: string | undefined;
  /** Certificates in PEM. */
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
  readonly login: VaultLogin;
}

/** A token and where it is from, or an AppRole that gets one. */
export type VaultLogin =
  | { readonly kind: "token"; readonly token: Secret; readonly from: string }
  | { readonly kind: "approle"; readonly roleId: string; readonly secretId: Secret; readonly mount: string };

/**
 * Reads `VAULT_ADDR`, `VAULT_NAMESPACE`, `VAULT_CACERT`, `VAULT_TLS_SERVER_NAME`; and `VAULT_TOKEN`, or `VAULT_ROLE_ID` with
 * `VAULT_SECRET_ID` (mounted at `VAULT_APPROLE_PATH`, `approle` unless given), or the file `~/.vault-token`.
 * @throws SecretsError that names what is missing
 * @see https://developer.hashicorp.com/vault/docs/commands#configure-environment-variables
 */
export async function readVaultConfig(env: NodeJS.ProcessEnv, home = homedir()): Promise<VaultConfig> {
  const caFile = env["VAULT_CACERT"];
  if (/^(?:1|t|true)$/i.test(env["VAULT_SKIP_VERIFY"] ?? "")) {
    throw new SecretsError("VAULT_SKIP_VERIFY is set, and a Vault that proves nothing gets no token from kb", {
      hint: "unset it, and name the certificate of Vault's authority in VAULT_CACERT",
    });
  }
  return {
    address: readAddress(env["VAULT_ADDR"]),
    namespace: env["VAULT_NAMESPACE"] || undefined,
    ca: caFile ? await readPem(caFile) : undefined,
    serverName: env["VAULT_TLS_SERVER_NAME"] || undefined,
    login: await readLogin(env, join(home, ".vault-token")),
  };
}

function readAddress(text: string | undefined): URL {
  const hint = "VAULT_ADDR=https://vault.example.com:8200";
  if (!text) throw new SecretsError("VAULT_ADDR does not say where Vault is", { hint });
  const address = URL.parse(text);
  if (address === null || !/^https?:$/.test(address.protocol)) {
    throw new SecretsError(`VAULT_ADDR is no URL: ${text}`, { hint });
  }
  const isHere = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(address.hostname);
  if (address.protocol === "https:" || isHere) return address;
  throw new SecretsError(`VAULT_ADDR would send the token over the network in clear: ${text}`, { hint });
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new SecretsError(`cannot read the certificates that VAULT_CACERT names: ${file}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

async function readLogin(env: NodeJS.ProcessEnv, tokenFile: string): Promise<VaultLogin> {
  const { VAULT_TOKEN: token, VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId } = env;
  if (token) return { kind: "token", token: new Secret(token), from: "VAULT_TOKEN" };
  if (roleId && secretId) {
    const mount = env["VAULT_APPROLE_PATH"] || "approle";
    return { kind: "approle", roleId, secretId: new Secret(secretId), mount };
  }
  try {
    const text = (await readFile(tokenFile, "utf8")).trim();
    if (text !== "") return { kind: "token", token: new Secret(text), from: tokenFile };
  } catch {
    // Not there, or not ours to read: said below, with all that was tried.
  }
  throw new SecretsError("there is no token for Vault", {
    detail: `tried: VAULT_TOKEN, VAULT_ROLE_ID with VAULT_SECRET_ID, ${tokenFile}`,
    hint: "vault login, or set one of these",
  });
}
