import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Capability, Command, RELAYED_CAPABILITIES } from "./wire/capabilities.ts";
import { parseAuthSwitch, parseGreeting, renderHandshakeResponse, renderSslRequest } from "./wire/handshake.ts";
import { answerScramble } from "./wire/native-password.ts";
import { frame, type Packet, PacketReader } from "./wire/packets.ts";
import { parseError, type SqlError } from "./wire/replies.ts";

const NATIVE_PASSWORD = "mysql_native_password";
const PLUGIN_DIRECTORY = "/usr/local/lib/mariadb/plugin";
const CR_CONNECTION_ERROR = 2002;

/** An ERR packet from a server, or a failure to reach it (code 2002), as an exception. */
export class BackendError extends Error {
  override readonly name = "BackendError";
  readonly sql: SqlError;
  /** Whether the server itself answered; if not, it could not be reached or did not finish the handshake. */
  readonly isAnswer: boolean;

  constructor(sql: SqlError, isAnswer: boolean) {
    super(sql.message);
    this.sql = sql;
    this.isAnswer = isAnswer;
  }
}

/** How to log in at a server. */
export interface BackendTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** SHA1(password); null for no password. */
  readonly passwordSha1: Buffer | null;
  readonly database: string;
  readonly capabilities: number;
  readonly collation: number;
  readonly useSsl: boolean;
  readonly timeoutMs: number;
}

/** Who reads what a server sends after the login. */
export interface BackendReader {
  onData(chunk: Buffer): void;
  onClose(): void;
}

const IDLE: BackendReader = { onData: () => undefined, onClose: () => undefined };

/** A logged-in connection to a server, as a byte stream. */
export class BackendConnection {
  readonly #socket: Socket;
  /** Whoever uses the connection now. */
  reader: BackendReader = IDLE;
  isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.reader.onData(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.isClosed = true;
      this.reader.onClose();
    });
  }

  /** Sends a command: its first byte and what follows. */
  send(payload: Buffer): void {
    this.#socket.write(frame(payload, 0));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.isClosed = true;
    this.#socket.destroy();
  }

  /** Says good-bye and closes. */
  quit(): void {
    this.isClosed = true;
    this.#socket.end(frame(Buffer.from([Command.quit]), 0));
  }
}

function capabilitiesFor(target: BackendTarget): number {
  const always =
    Capability.longPassword |
    Capability.longFlag |
    Capability.protocol41 |
    Capability.transactions |
    Capability.secureConnection |
    Capability.pluginAuth;
  const database = target.database === "" ? 0 : Capability.connectWithDb;
  const ssl = target.useSsl ? Capability.ssl : 0;
  return (always | database | ssl | (target.capabilities & RELAYED_CAPABILITIES)) >>> 0;
}

/** The text that the C client library makes of a plugin that it does not have. */
function missingPlugin(plugin: string): BackendError {
  const name = plugin === "client_ed25519" ? plugin : plugin;
  const message =
    `Plugin ${name} could not be loaded: ${PLUGIN_DIRECTORY}/${name}.so: ` +
    "cannot open shared object file: No such file or directory";
  return new BackendError({ code: 1045, state: "28000", message }, true);
}

/** The handshake with one server, up to its verdict. */
class Login {
  readonly #target: BackendTarget;
  readonly #reader = new PacketReader();
  readonly #settle: (error: BackendError | null) => void;
  #socket: Socket;
  #isGreeted = false;

  constructor(socket: Socket, target: BackendTarget, settle: (error: BackendError | null) => void) {
    this.#socket = socket;
    this.#target = target;
    this.#settle = settle;
    socket.on("data", this.#onData);
  }

  get socket(): Socket {
    return this.#socket;
  }

  stop(): void {
    this.#socket.off("data", this.#onData);
  }

  readonly #onData = (chunk: Buffer): void => {
    for (const packet of this.#reader.push(chunk)) this.#onPacket(packet);
  };

  #onPacket(packet: Packet): void {
    const kind = packet.payload[0];
    if (kind === 0xff) this.#settle(new BackendError(parseError(packet.payload), true));
    else if (!this.#isGreeted) this.#greet(packet);
    else if (kind === 0xfe) this.#switchPlugin(packet);
    else this.#settle(null);
  }

  #greet(packet: Packet): void {
    this.#isGreeted = true;
    const { scramble } = parseGreeting(packet.payload);
    const capabilities = capabilitiesFor(this.#target);
    const response = renderHandshakeResponse({
      capabilities,
      collation: this.#target.collation & 0xff,
      user: this.#target.user,
      authAnswer: answerScramble(scramble, this.#target.passwordSha1),
      database: this.#target.database,
      authPlugin: NATIVE_PASSWORD,
    });
    if (!this.#target.useSsl) {
      this.#socket.write(frame(response, packet.sequence + 1));
      return;
    }
    this.#socket.write(frame(renderSslRequest(capabilities, this.#target.collation), packet.sequence + 1));
    this.#startTls(frame(response, packet.sequence + 2));
  }

  /** ProxySQL does not verify a server's certificate. */
  #startTls(response: Buffer): void {
    const raw = this.#socket;
    raw.off("data", this.#onData);
    this.#socket = connectTls({ socket: raw, rejectUnauthorized: false });
    this.#socket.on("data", this.#onData);
    this.#socket.on("error", () => raw.destroy());
    this.#socket.write(response);
  }

  #switchPlugin(packet: Packet): void {
    const { plugin, scramble } = parseAuthSwitch(packet.payload);
    if (plugin !== NATIVE_PASSWORD) {
      this.#settle(missingPlugin(plugin));
      return;
    }
    this.#socket.write(frame(answerScramble(scramble, this.#target.passwordSha1), packet.sequence + 1));
  }
}

function unreachable(target: BackendTarget, reason: string): BackendError {
  const message = `Can't connect to server on '${target.host}' (${reason})`;
  return new BackendError({ code: CR_CONNECTION_ERROR, state: "HY000", message }, false);
}

/**
 * Connects and logs in by mysql_native_password.
 *
 * @throws {BackendError} the server's own error, or 2002 if it was not reached within the time-out.
 */
export function connectBackend(target: BackendTarget): Promise<BackendConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port });
    socket.setNoDelay(true);
    const settle = (error: BackendError | null): void => {
      clearTimeout(timer);
      login.stop();
      socket.off("error", onError).off("close", onClose);
      if (error === null) {
        resolve(new BackendConnection(login.socket));
      } else {
        socket.on("error", () => undefined).destroy();
        reject(error);
      }
    };
    const onError = (error: NodeJS.ErrnoException): void =>
      settle(unreachable(target, String(Math.abs(error.errno ?? 0) || error.code)));
    const onClose = (): void => settle(unreachable(target, "connection closed"));
    const login = new Login(socket, target, settle);
    const timer = setTimeout(() => settle(unreachable(target, "110")), target.timeoutMs);
    socket.on("error", onError).on("close", onClose);
  });
}
