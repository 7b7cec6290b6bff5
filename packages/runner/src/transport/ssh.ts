import { appendFile, readFile } from "node:fs/promises";
import net from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import ssh2, { type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { ConnectError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { type HostKeyVerdict, KnownHosts, keyType, knownHostName } from "./known-hosts.ts";
import { explain } from "./ssh-errors.ts";
import { authenticators, loadKeys } from "./ssh-keys.ts";
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

/** A target with all that inventories may leave out. */
export type ReachedTarget = Target & { readonly port: number; readonly user: string };

const KEEPALIVE_MS = 15_000;

/** An open ssh2 connection to a target. @throws ConnectError */
export async function connectSsh(wanted: Target, options: SshOptions): Promise<Connection> {
  const target: ReachedTarget = { ...wanted, port: wanted.port ?? 22, user: wanted.user ?? "root" };
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

function openSocket(target: ReachedTarget, timeoutMs: number): Promise<net.Socket> {
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

async function remember(file: string | undefined, target: ReachedTarget, key: Buffer): Promise<void> {
  if (file === undefined) return;
  const line = `${knownHostName(target.address, target.port)} ${keyType(key)} ${key.toString("base64")}\n`;
  await appendFile(file, line, { mode: 0o600 });
}

class SshConnection implements Connection {
  readonly user: string;
  readonly #client: ssh2.Client;
  readonly #target: ReachedTarget;
  #closed = false;

  constructor(client: ssh2.Client, target: ReachedTarget) {
    this.#client = client;
    this.user = target.user;
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
