import net from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import type { Trial } from "./host-trust.ts";
import type { Login } from "./ssh-auth.ts";
import type { AllowedAlgorithms, SshSettings } from "./ssh-config.ts";

/** What one connection is made of. */
export interface LinkPlan {
  readonly user: string;
  /** Opens the stream that ssh is spoken on: a socket, or a channel through a bastion. */
  readonly openStream: () => Promise<Duplex>;
  readonly trial: Trial;
  readonly login: Login;
  /** Milliseconds until the host's key is verified. */
  readonly handshakeMs: number;
  readonly keepalive: SshSettings["keepalive"];
  readonly algorithms: AllowedAlgorithms | undefined;
}

/** Where a connection failed. */
export type LinkStage = "connect" | "handshake" | "authentication";

/** A connection that did not come about; the words are made elsewhere. */
export class LinkError extends Error {
  readonly stage: LinkStage;
  /** What the host said in place of its ssh version. */
  readonly greeting: string;

  constructor(message: string, stage: LinkStage, greeting = "", cause?: unknown) {
    super(message, { cause });
    this.stage = stage;
    this.greeting = greeting;
  }
}

/**
 * A host that asks LDAP, waits for DNS, or counts failures takes its time; its key is known by then, so that nobody else
 * can make us wait. sshd's own LoginGraceTime is 120 s.
 */
const AUTHENTICATE_MS = 90_000;
const CHANNEL_MS = 30_000;

/** One authenticated ssh2 connection. */
export class SshLink {
  readonly #client: ssh2.Client;
  readonly #stream: Duplex;
  readonly #silenceMs: number;
  #lost: string | undefined;
  /** Resolves when the connection is over, however that came. */
  readonly closed: Promise<void>;

  private constructor(client: ssh2.Client, stream: Duplex, silenceMs: number) {
    this.#client = client;
    this.#stream = stream;
    this.#silenceMs = silenceMs;
    // The channels are closed too, which is where the loss is told.
    client.on("error", (error: Error) => {
      this.#lost ??= this.#reason(error);
    });
    this.closed = new Promise((resolve) => {
      client.once("close", () => {
        this.#lost ??= "the host closed the connection";
        resolve();
      });
    });
  }

  /** Why the connection is gone; undefined while it stands. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** @throws LinkError */
  static async open(plan: LinkPlan): Promise<SshLink> {
    const stream = await plan.openStream();
    const client = new ssh2.Client();
    try {
      await handshake(client, stream, plan);
    } catch (error) {
      client.on("error", () => {});
      client.destroy();
      stream.destroy();
      throw error;
    }
    const { intervalMs, countMax } = plan.keepalive;
    return new SshLink(client, stream, intervalMs * (countMax + 1));
  }

  /** Starts a command on a channel of its own. */
  exec(command: string): Promise<ClientChannel> {
    return this.#channel((done) => this.#client.exec(command, done));
  }

  /** A TCP connection from the other side to somewhere else. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return this.#channel((done) => this.#client.forwardOut("127.0.0.1", 0, host, port, done));
  }

  /** Lets the process end while nobody uses the connection. */
  rest(resting: boolean): void {
    if (!(this.#stream instanceof net.Socket)) return;
    if (resting) this.#stream.unref();
    else this.#stream.ref();
  }

  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
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

  #channel(
    open: (done: (error: Error | undefined, channel: ClientChannel) => void) => unknown,
  ): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(new Error(this.#lost));
      // On a half-open link the reply never comes.
      const timer = setTimeout(() => reject(new Error(`no reply within ${CHANNEL_MS / 1000} s`)), CHANNEL_MS);
      open((error, channel) => {
        clearTimeout(timer);
        if (error) reject(this.#lost === undefined ? error : new Error(this.#lost, { cause: error }));
        else resolve(channel);
      });
    });
  }

  #reason(error: Error): string {
    if (/keepalive timeout/i.test(error.message)) return `no sign of life for ${this.#silenceMs / 1000} s`;
    if ("code" in error && error.code === "ECONNRESET") return "the connection was reset";
    return error.message;
  }
}

async function handshake(client: ssh2.Client, stream: Duplex, plan: LinkPlan): Promise<void> {
  let stage: LinkStage = "handshake";
  let greeting = "";
  const listen = (chunk: Buffer): void => {
    greeting = (greeting + chunk.toString("latin1")).slice(0, 1000);
    if (greeting.includes("SSH-2.0")) stream.off("data", listen);
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (message: string, cause?: unknown): void =>
        reject(new LinkError(message, stage, greeting.replace(/SSH-2\.0[\s\S]*/, "").trim(), cause));
      const limit = (ms: number, message: string): void => {
        clearTimeout(timer);
        timer = setTimeout(() => fail(`${message} within ${ms / 1000} s`), ms);
      };
      limit(plan.handshakeMs, "the ssh handshake was not over");
      client.once("handshake", () => {
        stage = "authentication";
        limit(AUTHENTICATE_MS, "the host did not finish the login");
      });
      client.once("ready", resolve);
      client.on("error", (error: Error & { level?: string }) => {
        // A key that the agent does not sign with is passed over, like one that the host does not take.
        if (error.level !== "agent") fail(error.message, error);
      });
      client.once("close", () => fail("the host closed the connection"));
      client.connect(configOf(stream, plan));
      stream.on("data", listen);
    });
  } finally {
    clearTimeout(timer);
    stream.off("data", listen);
    client.removeAllListeners("error");
    client.removeAllListeners("close");
  }
}

function configOf(stream: Duplex, { user, trial, login, keepalive, algorithms }: LinkPlan): ConnectConfig {
  return {
    // ssh2 takes any duplex stream, and says Readable.
    sock: stream,
    username: user,
    // The two stages have limits of their own.
    readyTimeout: 0,
    keepaliveInterval: keepalive.intervalMs,
    keepaliveCountMax: keepalive.countMax,
    hostVerifier: (key: Buffer) => trial.verify(key),
    algorithms: {
      serverHostKey: hostKeyAlgorithms(trial.algorithms, algorithms?.serverHostKey),
      kex: { append: [], prepend: [], remove: allBut(algorithms?.kex) },
      cipher: { append: [], prepend: [], remove: allBut(algorithms?.cipher) },
      hmac: { append: [], prepend: [], remove: allBut(algorithms?.hmac) },
    },
    authHandler: login.handler,
  };
}

const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  ...(["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"] as const),
  ...(["rsa-sha2-512", "rsa-sha2-256"] as const),
];

/**
 * A whole list: ssh2's `prepend` leaves alone what it offers anyway. A host has keys of several types, and only those of
 * the known types can be checked.
 */
function hostKeyAlgorithms(
  known: readonly ServerHostKeyAlgorithm[],
  allowed: readonly string[] | undefined,
): ServerHostKeyAlgorithm[] {
  const all = [...known, ...HOST_KEY_ALGORITHMS.filter((name) => !known.includes(name))];
  return allowed === undefined ? all : all.filter((name) => allowed.includes(name));
}

/** What ssh2 would offer, and the user's ssh would not. The order stays ssh2's, which knows what is fast here. */
function allBut(allowed: readonly string[] | undefined): never[] {
  if (allowed === undefined) return [];
  const names = allowed.map((name) => name.replace(/[.+*]/g, "\\$&"));
  // Erasure point: ssh2 takes expressions here, which its types leave out.
  return [new RegExp(`^(?!(?:${names.join("|")})$)`)] as never[];
}
