import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import { Capability } from "./capabilities.ts";
import {
  type HandshakeResponse,
  isSslRequest,
  parseHandshakeResponse,
  renderAuthSwitch,
  renderGreeting,
} from "./handshake.ts";
import { newScramble } from "./native-password.ts";
import { frame, type Packet, PacketReader } from "./packets.ts";
import { renderError, renderOk, type SqlError } from "./replies.ts";

const NATIVE_PASSWORD = "mysql_native_password";

/** What a server tells the clients that connect, and what it does with them. */
export interface ClientHandler {
  /** Decides over a login: an error to refuse it with, or null. */
  login(connection: ClientConnection, response: HandshakeResponse): SqlError | null;
  /** Takes a command: one logical packet, its first byte being the command. */
  command(connection: ClientConnection, payload: Buffer): void;
  /** The connection is closed, by whichever side. */
  closed(connection: ClientConnection): void;
}

/** How a server presents itself. */
export interface ServerProfile {
  readonly serverVersion: string;
  readonly capabilities: number;
  /** Null: TLS is not offered. */
  readonly tls: SecureContext | null;
  /** A client that sends more for one command is cut off. */
  readonly maxPacketBytes: number;
}

type Phase = "greeting" | "auth switch" | "commands";

/** The server's side of one client connection: greeting, TLS, login, then commands. */
export class ClientConnection {
  readonly id: number;
  readonly scramble = newScramble();
  readonly #profile: ServerProfile;
  readonly #handler: ClientHandler;
  readonly #reader = new PacketReader();
  #socket: Socket;
  #phase: Phase = "greeting";
  #response: HandshakeResponse | null = null;

  constructor(socket: Socket, id: number, profile: ServerProfile, handler: ClientHandler) {
    this.#socket = socket;
    this.id = id;
    this.#profile = profile;
    this.#handler = handler;
    socket.setNoDelay(true);
    this.#listen();
    const greeting = renderGreeting({
      serverVersion: profile.serverVersion,
      connectionId: id,
      scramble: this.scramble,
      capabilities: profile.tls === null ? profile.capabilities & ~Capability.ssl : profile.capabilities,
      authPlugin: NATIVE_PASSWORD,
    });
    socket.write(frame(greeting, 0));
  }

  get remoteAddress(): string {
    return (this.#socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  }

  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  get localAddress(): string {
    return (this.#socket.localAddress ?? "").replace(/^::ffff:/, "");
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Capabilities that both sides have. */
  get capabilities(): number {
    return (((this.#response?.capabilities ?? 0) & this.#profile.capabilities) >>> 0) as number;
  }

  /** Writes framed packets; false asks to wait for {@link onDrain}. */
  write(bytes: Buffer): boolean {
    return this.#socket.writable ? this.#socket.write(bytes) : true;
  }

  /** Calls back once when the client has taken what was written. */
  onDrain(callback: () => void): void {
    this.#socket.once("drain", callback);
  }

  /** Closes after what was written has gone out. */
  end(): void {
    this.#socket.end();
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on("data", this.#onData);
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.on("close", this.#onClose);
  }

  readonly #onClose = (): void => this.#handler.closed(this);

  readonly #onData = (chunk: Buffer): void => {
    const packets = this.#reader.push(chunk);
    for (const packet of packets) this.#onPacket(packet);
    if (this.#reader.bufferedBytes > this.#profile.maxPacketBytes) {
      const message = "Got a packet bigger than 'max_allowed_packet' bytes";
      this.#refuse({ code: 1153, state: "08S01", message }, 1);
    }
  };

  #onPacket(packet: Packet): void {
    if (this.#phase === "commands") {
      this.#handler.command(this, packet.payload);
    } else if (this.#phase === "auth switch" && this.#response !== null) {
      this.#decide({ ...this.#response, authAnswer: packet.payload, authPlugin: NATIVE_PASSWORD }, packet.sequence);
    } else if (isSslRequest(packet.payload) && this.#profile.tls !== null) {
      this.#startTls(this.#profile.tls);
    } else {
      this.#onResponse(parseHandshakeResponse(packet.payload), packet.sequence);
    }
  }

  #onResponse(response: HandshakeResponse, sequence: number): void {
    this.#response = response;
    if (response.capabilities & Capability.compress) {
      const message = "The lab's stand-in for ProxySQL does not speak the compressed protocol";
      this.#refuse({ code: 1156, state: "08S01", message }, sequence + 1);
    } else if (response.authPlugin !== NATIVE_PASSWORD) {
      this.#phase = "auth switch";
      this.write(frame(renderAuthSwitch(this.scramble), sequence + 1));
    } else {
      this.#decide(response, sequence);
    }
  }

  #decide(response: HandshakeResponse, sequence: number): void {
    this.#response = response;
    const error = this.#handler.login(this, response);
    if (error !== null) {
      this.#refuse(error, sequence + 1);
    } else {
      this.#phase = "commands";
      this.write(frame(renderOk(0, ""), sequence + 1));
    }
  }

  #refuse(error: SqlError, sequence: number): void {
    this.#socket.end(frame(renderError(error), sequence));
  }

  #startTls(secureContext: SecureContext): void {
    const raw = this.#socket;
    raw.off("data", this.#onData);
    raw.off("close", this.#onClose);
    raw.pause();
    const early = this.#reader.drain();
    if (early.length > 0) raw.unshift(early);
    this.#socket = new TLSSocket(raw, { isServer: true, secureContext });
    this.#listen();
  }
}
