import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../transport/program.ts";
import { pick } from "./document.ts";
import { hashicorpProvider } from "./hashicorp-vault.ts";

/**
 * Vault itself is in none of the package registries that tests can use, so this is a server of our own that answers what
 * HashiCorp's documentation says: KV version 2, the database engine, AppRole, namespaces, and their errors.
 * @see https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
 * @see https://developer.hashicorp.com/vault/api-docs/secret/databases#generate-credentials
 * @see https://developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle
 */
interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const TOKEN = "hvs.canary-token";
const calls: Call[] = [];
let leases = 0;
let server: Server;
let address: string;
const home = mkdtempSync(join(tmpdir(), "kb-vault-home-"));

function answer({ method, url, headers, body }: Call): readonly [status: number, body: unknown, location?: string] {
  if (url === "/v1/auth/approle/login" && method === "POST") {
    const { role_id, secret_id } = JSON.parse(body) as Record<string, string>;
    if (role_id !== "role" || secret_id !== "canary-secret-id") return [400, { errors: ["invalid role or secret ID"] }];
    return [200, { auth: { client_token: TOKEN, lease_duration: 1200, renewable: true } }];
  }
  if (headers["x-vault-token"] !== TOKEN) return [403, { errors: ["permission denied"] }];
  if (url.startsWith("/v1/kv/data/app")) {
    if (url.includes("version=2")) {
      return [404, { data: { data: null, metadata: { deletion_time: "2026-01-01T00:00:00Z", destroyed: false } } }];
    }
    return [200, { data: { data: { password: "canary-kv", port: 3306 }, metadata: { version: 3 } }, lease_id: "" }];
  }
  if (url === "/v1/secret/old")
    return [200, { data: { password: "canary-v1" }, lease_duration: 2764800, lease_id: "" }];
  if (url === "/v1/kv/app") {
    return [404, { errors: [], warnings: ["Invalid path for a versioned K/V secrets engine. See the API docs ..."] }];
  }
  if (url === "/v1/database/creds/app") {
    leases += 1;
    const data = { username: `v-app-${leases}`, password: `canary-db-${leases}` };
    return [200, { lease_id: `database/creds/app/${leases}`, lease_duration: 3600, renewable: true, data }];
  }
  if (url === "/v1/standby") return [307, {}, "/v1/secret/old"];
  if (url === "/v1/sealed") return [503, { errors: ["Vault is sealed"] }];
  return [404, { errors: [] }];
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      const call = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
      calls.push(call);
      const [status, json, location] = answer(call);
      response.writeHead(status, {
        "Content-Type": "application/json",
        ...(location === undefined ? {} : { location }),
      });
      response.end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  address = `http://127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;
});
beforeEach(() => {
  calls.length = 0;
});
afterAll(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

const provider = (env: NodeJS.ProcessEnv = { VAULT_TOKEN: TOKEN }, note: (text: string) => void = () => {}) =>
  hashicorpProvider({ env: { VAULT_ADDR: address, ...env }, home, note });

async function read(location: string, key?: string, env?: NodeJS.ProcessEnv): Promise<string> {
  return pick(await provider(env).read(location), key, `vault:${location}`).reveal();
}

describe("a Vault", () => {
  it("gives the fields of KV secrets, version 2 and 1", async () => {
    expect(await read("kv/data/app", "password")).toBe("canary-kv");
    expect(await read("kv/data/app?version=3", "port")).toBe("3306");
    expect(await read("secret/old")).toBe("canary-v1");
    expect(calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v1/kv/data/app",
      "GET /v1/kv/data/app?version=3",
      "GET /v1/secret/old",
    ]);
    expect(calls[0]?.headers).toMatchObject({ "x-vault-request": "true", "x-vault-token": TOKEN });
  });

  it("makes credentials of a database, of one account for both halves, and tells of the lease", async () => {
    const notes: string[] = [];
    const document = await provider({ VAULT_TOKEN: TOKEN }, (text) => notes.push(text)).read("database/creds/app");
    const [username, password] = ["username", "password"].map((key) => pick(document, key, "vault").reveal());
    expect(password).toBe(`canary-db-${username?.replace("v-app-", "")}`);
    expect(notes).toEqual([
      `vault:database/creds/app is leased for 3600 s, and is revoked after that; vault lease renew database/creds/app/${leases}`,
    ]);
  });

  it("is logged in to by token, by AppRole, or by the file that vault login leaves", async () => {
    const approle = { VAULT_ROLE_ID: "role", VAULT_SECRET_ID: "canary-secret-id", VAULT_NAMESPACE: "team/a" };
    expect(await read("secret/old", "password", approle)).toBe("canary-v1");
    expect(calls[1]?.headers).toMatchObject({ "x-vault-namespace": "team/a", "x-vault-token": TOKEN });
    await expect(read("secret/old", "password", {})).rejects.toMatchObject({
      message: "there is no token for Vault",
      detail: expect.stringContaining(".vault-token"),
    });
    writeFileSync(join(home, ".vault-token"), `${TOKEN}\n`, { mode: 0o600 });
    expect(await read("secret/old", "password", {})).toBe("canary-v1");
  });

  it("is followed from a standby to the active node", async () => {
    expect(await read("standby", "password")).toBe("canary-v1");
  });

  it.each([
    [
      "kv/app",
      undefined,
      { detail: /GET .*\/v1\/kv\/app answered 404 \(token of VAULT_TOKEN\)\nInvalid path/, hint: /kv\/data\/app/ },
    ],
    ["kv/data/app?version=2", undefined, { detail: /answered 404/ }],
    [
      "kv/data/app",
      "pasword",
      { message: /vault:kv\/data\/app has no value "pasword"/, hint: /did you mean password\?/ },
    ],
    ["kv/data/app", undefined, { message: /several values/, hint: /known: password, port/ }],
    ["none", undefined, { message: /Vault gives nothing at none/, detail: /404/ }],
    ["sealed", undefined, { detail: /503.*\nVault is sealed/, hint: /vault status/ }],
    ["kv/../sys/seal", undefined, { message: /no path in Vault/ }],
  ])("says what was tried for %s#%s", async (location, key, expected) => {
    const error: unknown = await read(location, key).catch((thrown: unknown) => thrown);
    for (const [field, pattern] of Object.entries(expected))
      expect(error).toHaveProperty(field, expect.stringMatching(pattern));
    expect(JSON.stringify(error)).not.toContain("canary");
  });

  it.each([
    [{ VAULT_TOKEN: "wrong" }, /answered 403 \(token of VAULT_TOKEN\)\npermission denied/],
    [
      { VAULT_ROLE_ID: "role", VAULT_SECRET_ID: "canary-wrong" },
      /POST .*approle\/login answered 400.*\ninvalid role or secret ID/,
    ],
  ])("says who was refused", async (env, detail) => {
    const error: unknown = await read("kv/data/app", "password", env).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ detail: expect.stringMatching(detail) });
    expect(JSON.stringify(error)).not.toContain("canary-wrong");
  });

  it.each([
    [{ VAULT_ADDR: "" }, /VAULT_ADDR does not say where Vault is/],
    [{ VAULT_ADDR: "vault:8200" }, /VAULT_ADDR is no URL/],
    [{ VAULT_ADDR: "http://vault.example.com:8200" }, /would send the token over the network in clear/],
    [{ VAULT_SKIP_VERIFY: "true" }, /a Vault that proves nothing/],
    [{ VAULT_CACERT: "/nonexistent/ca.pem" }, /cannot read the certificates/],
    [{ VAULT_ADDR: "https://127.0.0.1:1" }, /cannot reach Vault at https:\/\/127\.0\.0\.1:1/],
  ])("refuses %j", async (env, message) => {
    await expect(read("kv/data/app", "password", { VAULT_TOKEN: TOKEN, ...env })).rejects.toThrow(message);
  });

  it("has to prove by its certificate who it is", async () => {
    const [key, cert] = [join(home, "key.pem"), join(home, "cert.pem")];
    const request = ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "1"];
    const names = ["-subj", "/CN=vault", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = await runProgram(["openssl", ...request, ...names, "-keyout", key, "-out", cert], {
      timeoutMs: 60_000,
    });
    expect(made).toMatchObject({ kind: "exited", exitCode: 0 });
    const tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      response.end(JSON.stringify({ data: { password: "canary-tls" } }));
    });
    await new Promise<void>((resolve) => tls.listen(0, "127.0.0.1", resolve));
    const bound = tls.address();
    const env = { VAULT_ADDR: `https://127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`, VAULT_TOKEN: TOKEN };
    try {
      await expect(read("secret/old", "password", env)).rejects.toMatchObject({
        message: `cannot reach Vault at ${env.VAULT_ADDR}`,
        hint: expect.stringContaining("VAULT_CACERT"),
      });
      expect(await read("secret/old", "password", { ...env, VAULT_CACERT: cert })).toBe("canary-tls");
    } finally {
      tls.close();
    }
  });
});
