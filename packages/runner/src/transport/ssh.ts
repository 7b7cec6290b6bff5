import { createHash } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import net from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import ssh2, { type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { ConnectError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { type HostKeyVerdict, KnownHosts, keyType, knownHostName } from "./known-hosts.ts";
import type { Connection, RemoteProcess, Target } from "./transport.ts";

/** How the ssh transport trusts and authenticates. */
export interface SshOptions {
  /**
   * `strict` (the default): only keys in known_hosts. `accept-new`: an unknown host's key is written to known_hosts; a
   * changed one is still refused. `off`: any key; for throw-away hosts on a network of your own.
   */
  readonly hostKeys?: "strict" | "accept-new" | "off";
  /** `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts` unless given. New keys go to the first. */
  readonly knownHostsFiles?: readonly string[];
  /** Socket of the agent; `SSH_AUTH_SOCK` unless given. */
  readonly agent?: string;
  /** Asked for the passphrase of an encrypted key, once a key file. */
  readonly askPassphrase?: (keyFile: string) => Promise<Secret | undefined>;
  /** Milliseconds for TCP and the handshake together, 15 000 unless given. */
  readonly timeoutMs?: number;
}

const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];
const KEEPALIVE_MS = 15_000;

/** An open ssh2 connection to a target. @throws ConnectError */
export async function connectSsh(target: Target, options: SshOptions): Promise<Connection> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const files = options.knownHostsFiles ?? [join(homedir(), ".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"];
  const known = new KnownHosts((await Promise.all(files.map(readKnownHosts))).join("\n"));
  const keys = await loadKeys(target, options);
  const trust: { verdict: HostKeyVerdict | undefined; key: Buffer | undefined } = {
    verdict: undefined,
    key: undefined,
  };
  const client = new ssh2.Client();
  const socket = await openSocket(target, timeoutMs);
  const config: ConnectConfig = {
    sock: socket,
    username: target.user,
    readyTimeout: timeoutMs,
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: 3,
    hostVerifier: (key: Buffer) => {
      trust.key = key;
      trust.verdict = known.check(target.address, target.port, key);
      return isTrusted(trust.verdict, options.hostKeys ?? "strict");
    },
    ...preferKnownTypes(known.keyTypes(target.address, target.port)),
    // `publickey` first saves the round trip of the usual probe with `none`.
    authHandler: authenticators(target, keys, options.agent ?? process.env["SSH_AUTH_SOCK"]),
  };
  await new Promise<void>((resolve, reject) => {
    client.once("ready", resolve);
    client.once("error", (cause) => reject(explain(target, cause, trust.verdict, trust.key, files, keys.length > 0)));
    client.connect(config);
  });
  // From here on an error also closes the channels, which is where it is told.
  client.on("error", () => {});
  if (trust.verdict?.kind === "unknown" && options.hostKeys === "accept-new" && trust.key !== undefined) {
    await remember(files[0], target, trust.key);
  }
  return new SshConnection(client, target);
}

async function readKnownHosts(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return "";
    throw new ConnectError(`cannot read ${file}, so no host key can be trusted`, { cause, hint: "make it readable" });
  }
}

function openSocket(target: Target, timeoutMs: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    // ssh2 leaves Nagle's algorithm on; set before the handshake it is 40 ms a message less.
    const socket = net.connect({ host: target.address, port: target.port, noDelay: true });
    const refuse = (reason: string, cause?: unknown): void => {
      socket.destroy();
      const hint = `is the host up, and does this work: ssh -p ${target.port} ${target.user}@${target.address} true`;
      reject(
        new ConnectError(`cannot connect to ${target.address}:${target.port}`, {
          host: target.name,
          detail: reason,
          hint,
          cause,
        }),
      );
    };
    const timer = setTimeout(() => refuse(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    socket.once("error", (cause) => {
      clearTimeout(timer);
      refuse(cause.message, cause);
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

interface LoadedKey {
  readonly file: string;
  readonly key: Buffer;
  readonly passphrase?: string;
}

/** The key that the target names, or those that ssh(1) would try by default. */
async function loadKeys(target: Target, options: SshOptions): Promise<readonly LoadedKey[]> {
  const named = target.privateKeyFile;
  const files = named === undefined ? DEFAULT_KEYS.map((name) => join(homedir(), ".ssh", name)) : [named];
  const keys: LoadedKey[] = [];
  for (const file of files) {
    let key: Buffer;
    try {
      key = await readFile(file);
    } catch (cause) {
      if (named === undefined) continue;
      throw new ConnectError(`cannot read the private key ${file}`, {
        host: target.name,
        cause,
        hint: "check --private-key",
      });
    }
    const parsed = ssh2.utils.parseKey(key);
    if (!(parsed instanceof Error)) keys.push({ file, key });
    else if (/encrypted|passphrase/i.test(parsed.message)) {
      // A default key that is locked is not worth a question where an agent may hold it open.
      const agent = options.agent ?? process.env["SSH_AUTH_SOCK"];
      const passphrase = named === undefined && agent !== undefined ? undefined : await options.askPassphrase?.(file);
      if (passphrase !== undefined) keys.push({ file, key, passphrase: passphrase.reveal() });
    } else if (named !== undefined) {
      throw new ConnectError(`${file} is no private key that can be read`, {
        host: target.name,
        detail: parsed.message,
      });
    }
  }
  return keys;
}

type Authenticators = NonNullable<Extract<ConnectConfig["authHandler"], unknown[]>>;

function authenticators(target: Target, keys: readonly LoadedKey[], agent: string | undefined): Authenticators {
  const byKey = keys.map(({ key, passphrase }) => ({
    type: "publickey" as const,
    username: target.user,
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
  }));
  const byAgent = agent === undefined ? [] : [{ type: "agent" as const, username: target.user, agent }];
  return target.privateKeyFile === undefined ? [...byAgent, ...byKey] : [...byKey, ...byAgent];
}

/** Known types first: a host has keys of several types, and only the known ones can be checked. */
function preferKnownTypes(types: readonly string[]): Pick<ConnectConfig, "algorithms"> {
  const names = types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [type]));
  if (names.length === 0) return {};
  const prepend = [...new Set(names)] as ServerHostKeyAlgorithm[];
  return { algorithms: { serverHostKey: { append: [], prepend, remove: [] } } };
}

function isTrusted(verdict: HostKeyVerdict, policy: NonNullable<SshOptions["hostKeys"]>): boolean {
  return policy === "off" || verdict.kind === "known" || (policy === "accept-new" && verdict.kind === "unknown");
}

async function remember(file: string | undefined, target: Target, key: Buffer): Promise<void> {
  if (file === undefined) return;
  const line = `${knownHostName(target.address, target.port)} ${keyType(key)} ${key.toString("base64")}\n`;
  await appendFile(file, line, { mode: 0o600 });
}

function explain(
  target: Target,
  cause: Error,
  verdict: HostKeyVerdict | undefined,
  key: Buffer | undefined,
  files: readonly string[],
  hasKeys: boolean,
): ConnectError {
  const at = `${target.user}@${target.address}:${target.port}`;
  const refused = verdict !== undefined && verdict.kind !== "known";
  if (refused && /verif|handshake|host.?key/i.test(cause.message))
    return explainHostKey(target, verdict, key, files, cause);
  if (/authentication methods failed/i.test(cause.message)) {
    return new ConnectError(`${at} refused every key`, {
      host: target.name,
      detail: hasKeys ? cause.message : "no private key was found and no agent answered",
      hint: `name a key with --private-key, and check that ssh ${target.user}@${target.address} works with it`,
      cause,
    });
  }
  return new ConnectError(`cannot log in to ${at}`, {
    host: target.name,
    detail: cause.message,
    hint: `does this work: ssh -p ${target.port} ${target.user}@${target.address} true`,
    cause,
  });
}

function explainHostKey(
  target: Target,
  verdict: Exclude<HostKeyVerdict, { kind: "known" }>,
  key: Buffer | undefined,
  files: readonly string[],
  cause: Error,
): ConnectError {
  const name = knownHostName(target.address, target.port);
  const print =
    key === undefined
      ? ""
      : `${keyType(key)} SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
  const places = files.join(" and ");
  if (verdict.kind === "unknown") {
    return new ConnectError(`the host key of ${name} is unknown`, {
      host: target.name,
      detail: `it has ${print}; looked in ${places}`,
      hint: `compare it with the host's own, then: ssh-keyscan -p ${target.port} ${target.address} >> ${files[0]} (or --host-keys accept-new)`,
      cause,
    });
  }
  const what = verdict.kind === "revoked" ? "is revoked" : "HAS CHANGED: somebody may be in between";
  return new ConnectError(`the host key of ${name} ${what}`, {
    host: target.name,
    detail: `it has ${print}; line ${verdict.line} of ${places} says otherwise`,
    hint: `if the host was made anew, and only then: ssh-keygen -R '${name}' -f ${files[0]}`,
    cause,
  });
}

class SshConnection implements Connection {
  readonly #client: ssh2.Client;
  readonly #target: Target;
  #closed = false;

  constructor(client: ssh2.Client, target: Target) {
    this.#client = client;
    this.#target = target;
    client.once("close", () => {
      this.#closed = true;
    });
  }

  async start(command: string): Promise<RemoteProcess> {
    // sshd counts a closed session until it has reaped it, so a refused channel may be had a moment later (MaxSessions).
    for (let attempt = 1; ; attempt += 1) {
      try {
        return toProcess(await this.#exec(command));
      } catch (cause) {
        if (attempt < 5 && cause instanceof Error && /open failed/i.test(cause.message)) {
          await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
          continue;
        }
        throw new ConnectError("cannot open a channel on the connection", {
          host: this.#target.name,
          detail: cause instanceof Error ? cause.message : String(cause),
          cause,
        });
      }
    }
  }

  #exec(command: string): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error("the connection is closed"));
      // On a half-open link the reply never comes.
      const timer = setTimeout(() => reject(new Error("no reply within 30 s")), 30_000);
      this.#client.exec(command, (error, channel) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve(channel);
      });
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#client.destroy();
        resolve();
      }, 2_000);
      this.#client.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#client.end();
    });
  }
}

function toProcess(channel: ClientChannel): RemoteProcess {
  let reason = "the channel was closed";
  channel.once("exit", (code: number | null, signal?: string) => {
    reason = code === null ? `the remote shell got ${signal}` : `the remote shell ended with ${code}`;
  });
  const ended = new Promise<string>((resolve) => channel.once("close", () => resolve(reason)));
  return { stdin: channel, stdout: channel, stderr: channel.stderr, ended, close: () => channel.close() };
}
