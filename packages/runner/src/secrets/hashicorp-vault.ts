import { Secret } from "../secret.ts";
import type { HttpAnswer } from "../transport/http.ts";
import type { SecretDocument } from "./document.ts";
import { readVaultConfig, type VaultConfig } from "./hashicorp-config.ts";
import type { SecretProvider } from "./provider.ts";
import { SecretsError } from "./reference.ts";

/** What reading from Vault may need. */
export interface VaultOptions {
  /** The environment; the process's own unless given. */
  readonly env?: NodeJS.ProcessEnv;
  /** Home of `.vault-token`; the user's own unless given. */
  readonly home?: string;
  /** Told of each lease. */
  readonly note?: (text: string) => void;
}

const TIMEOUT_MS = 20_000;

/**
 * Secrets of a HashiCorp Vault, over its HTTP API: what a path answers to a read. That is a version of a KV secret
 * (`vault:kv/data/app#password`, `vault:kv/data/app?version=3#password`), or credentials made for us
 * (`vault:database/creds/app#username` and `#password`, of one reading and so of one account).
 * @see https://developer.hashicorp.com/vault/api-docs
 */
export function hashicorpProvider(options: VaultOptions = {}): SecretProvider {
  let session: Promise<Session> | undefined;
  return {
    async read(location) {
      session ??= openSession(options);
      return readSecret(await session, location, options.note ?? (() => {}));
    },
  };
}

interface Session {
  readonly config: VaultConfig;
  readonly token: Secret;
  /** For errors: whose token it is. */
  readonly from: string;
}

async function openSession({ env = process.env, home }: VaultOptions): Promise<Session> {
  const config = await readVaultConfig(env, home);
  const { login } = config;
  if (login.kind === "token") return { config, token: login.token, from: login.from };
  const { roleId, secretId, mount } = login;
  const body = JSON.stringify({ role_id: roleId, secret_id: secretId.reveal() });
  const path = `auth/${mount}/login`;
  const answer = await exchange(config, "POST", path, undefined, body);
  const token = answer.status === 200 ? stringAt(parse(answer.body), ["auth", "client_token"]) : undefined;
  if (token !== undefined) return { config, token: new Secret(token), from: "the AppRole of VAULT_ROLE_ID" };
  throw refusal(config, "POST", path, answer, "the AppRole of VAULT_ROLE_ID", "is the SecretID still good?");
}

async function readSecret(session: Session, location: string, note: (text: string) => void): Promise<SecretDocument> {
  const { config, token, from } = session;
  const answer = await exchange(config, "GET", location, token);
  if (answer.status !== 200)
    throw refusal(config, "GET", location, answer, `token of ${from}`, hintFor(answer, location));
  const body = parse(answer.body);
  const data = recordAt(body, ["data"]);
  // KV version 2 wraps the secret, so that its metadata has room beside it.
  const inner = recordAt(data, ["metadata"]) === undefined ? data : recordAt(data, ["data"]);
  if (inner === undefined)
    throw refusal(config, "GET", location, answer, `token of ${from}`, "was this version deleted?");
  noteLease(body, location, note);
  return {
    kind: "fields",
    fields: new Map(
      Object.entries(inner).map(([name, value]) => [
        name,
        new Secret(typeof value === "string" ? value : JSON.stringify(value)),
      ]),
    ),
  };
}

async function exchange(
  config: VaultConfig,
  method: "GET" | "POST",
  path: string,
  token: Secret | undefined,
  body?: string,
): Promise<HttpAnswer> {
  const headers = {
    "X-Vault-Request": "true",
    ...(token === undefined ? {} : { "X-Vault-Token": token.reveal() }),
    ...(config.namespace === undefined ? {} : { "X-Vault-Namespace": config.namespace }),
    ...(body === undefined ? {} : { "Content-Type": "application/json" }),
  };
  // node:http loads all of fetch with it; a run without Vault does not pay for that.
  const { askHttp } = await import("../transport/http.ts");
  const ask = async (url: URL): Promise<HttpAnswer> => {
    try {
      return await askHttp({
        url,
        method,
        headers,
        timeoutMs: TIMEOUT_MS,
        ...(body === undefined ? {} : { body }),
        ...(config.ca === undefined ? {} : { ca: config.ca }),
        ...(config.serverName === undefined ? {} : { serverName: config.serverName }),
      });
    } catch (cause) {
      throw unreachable(url, method, cause);
    }
  };
  const url = urlOf(config.address, path);
  const answer = await ask(url);
  const elsewhere = answer.status === 307 ? URL.parse(answer.location ?? "", url.href) : null;
  // A standby sends us to the active node; the token follows no further down than it came.
  if (elsewhere === null || (url.protocol === "https:" && elsewhere.protocol !== "https:")) return answer;
  return ask(elsewhere);
}

function urlOf(address: URL, path: string): URL {
  const [plain = "", query] = path.replace(/^\/+/, "").split("?");
  const parts = plain.split("/");
  if (parts.some((part) => part === ".." || part === ".") || plain === "") {
    throw new SecretsError(`${path} is no path in Vault`, { hint: "like kv/data/app" });
  }
  const base = address.pathname.replace(/\/$/, "");
  const url = new URL(`${base}/v1/${parts.map(encodeURIComponent).join("/")}`, address);
  if (query !== undefined) url.search = query;
  return url;
}

function unreachable(url: URL, method: string, cause: unknown): SecretsError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const isTls = /CERT|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code);
  return new SecretsError(`cannot reach Vault at ${url.origin}`, {
    detail: `${method} ${url.origin}${url.pathname}: ${message}`,
    hint: isTls
      ? "name the certificate of Vault's authority in VAULT_CACERT, or the name that it is for in VAULT_TLS_SERVER_NAME"
      : "is VAULT_ADDR right, and does this answer: vault status",
    cause,
  });
}

function refusal(
  config: VaultConfig,
  method: string,
  path: string,
  answer: HttpAnswer,
  who: string,
  hint: string | undefined,
): SecretsError {
  const url = urlOf(config.address, path);
  const body = parse(answer.body);
  const said = ["errors", "warnings"].flatMap((key) => {
    const lines: unknown = body[key];
    return Array.isArray(lines) ? lines.map(String) : [];
  });
  const space = config.namespace === undefined ? "" : `, namespace ${config.namespace}`;
  return new SecretsError(`Vault gives nothing at ${path}`, {
    detail: [`${method} ${url.origin}${url.pathname} answered ${answer.status} (${who}${space})`, ...said].join("\n"),
    hint,
  });
}

function hintFor({ status, body }: HttpAnswer, path: string): string | undefined {
  if (status === 403) return `does a policy of this token let it read ${path}? vault token capabilities ${path}`;
  if (status === 404 && /versioned|\/data\//.test(body))
    return "in a KV store of version 2, /data/ follows the mount: kv/data/app";
  if (status === 404) return "is the path whole, mount and all, and /data/ after the mount in a KV store of version 2?";
  if (status === 503) return "Vault is sealed or starting: vault status";
  return undefined;
}

/** A lease outlives the run, since hosts go on using what it covers: who holds it has to know. */
function noteLease(body: Readonly<Record<string, unknown>>, location: string, note: (text: string) => void): void {
  const { lease_id: id, lease_duration: seconds, renewable } = body;
  if (typeof id !== "string" || id === "" || typeof seconds !== "number") return;
  const renew = renewable === true ? `; vault lease renew ${id}` : "";
  note(`vault:${location} is leased for ${seconds} s, and is revoked after that${renew}`);
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return recordAt(JSON.parse(text), []) ?? {};
  } catch {
    return {};
  }
}

function recordAt(value: unknown, path: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const found = path.reduce<unknown>(
    // Erasure point: any object may be asked for any name.
    (inner, key) => (typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  );
  return typeof found === "object" && found !== null && !Array.isArray(found)
    ? (found as Record<string, unknown>)
    : undefined;
}

function stringAt(value: unknown, [first = "", last = ""]: readonly [string, string]): string | undefined {
  const found = recordAt(value, [first])?.[last];
  return typeof found === "string" ? found : undefined;
}
