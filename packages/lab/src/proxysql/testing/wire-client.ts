import { connect, type Socket } from "node:net";
import { Capability, Command } from "../wire/capabilities.ts";
import { Cursor } from "../wire/cursor.ts";
import { type Greeting, parseGreeting, renderHandshakeResponse } from "../wire/handshake.ts";
import { answerScramble, passwordSha1 } from "../wire/native-password.ts";
import { frame, type Packet, PacketReader } from "../wire/packets.ts";
import { type Cell, parseError, type SqlError } from "../wire/replies.ts";

/** An error as a client library reports it: codes of the 2000s are its own and have no state. */
export type ClientError = Omit<SqlError, "state"> & { readonly state: string | null };

/** What a statement gave. */
export type ClientReply =
  | { readonly ok: { readonly affectedRows: number; readonly info: string } }
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly error: ClientError };

const CAPABILITIES =
  Capability.longPassword |
  Capability.longFlag |
  Capability.protocol41 |
  Capability.transactions |
  Capability.secureConnection |
  Capability.pluginAuth;
const UTF8MB4_GENERAL_CI = 45;

/** The server cannot be reached, as an exception. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** A plain MySQL client: no TLS, no extensions, packets as they come. */
export class WireClient {
  readonly greeting: Greeting;
  readonly #socket: Socket;
  readonly #reader = new PacketReader();
  readonly #packets: Packet[] = [];
  #wake: () => void = () => undefined;
  #isLost = false;

  private constructor(socket: Socket, greeting: Greeting, reader: PacketReader) {
    this.#socket = socket;
    this.greeting = greeting;
    this.#reader = reader;
    socket.on("data", (chunk: Buffer) => {
      this.#packets.push(...this.#reader.push(chunk));
      this.#wake();
    });
    socket.on("close", () => {
      this.#isLost = true;
      this.#wake();
    });
  }

  /** Connects and logs in; a refused login is an answer. */
  static async login(
    to: { host: string; port: number },
    as: { user: string; password: string; database?: string },
  ): Promise<WireClient | { readonly error: ClientError }> {
    const socket = connect(to);
    socket.on("error", () => undefined);
    const event = await firstChunk(socket);
    if (event === null) {
      const message = `Can't connect to MySQL server on '${to.host}' ([Errno 111] Connection refused)`;
      return { error: { code: 2003, state: null, message } };
    }
    const reader = new PacketReader();
    const greeting = parseGreeting(reader.push(event)[0]?.payload ?? Buffer.alloc(0));
    const client = new WireClient(socket, greeting, reader);
    const response = renderHandshakeResponse({
      capabilities: CAPABILITIES | (as.database === undefined ? 0 : Capability.connectWithDb),
      collation: UTF8MB4_GENERAL_CI,
      user: as.user,
      authAnswer: answerScramble(greeting.scramble, passwordSha1(as.password)),
      database: as.database ?? "",
      authPlugin: "mysql_native_password",
    });
    socket.write(frame(response, 1));
    const verdict = await client.#packet(10_000);
    if (verdict === null || verdict === "timeout") return { error: lost(false) };
    return verdict.payload[0] === 0xff ? { error: parseError(verdict.payload) } : client;
  }

  /** Runs a statement. */
  async query(sql: string, timeoutMs: number): Promise<ClientReply> {
    this.#socket.write(frame(Buffer.concat([Buffer.from([Command.query]), Buffer.from(sql)]), 0));
    const first = await this.#packet(timeoutMs);
    if (first === null || first === "timeout") return { error: lost(first === "timeout") };
    if (first.payload[0] === 0xff) return { error: parseError(first.payload) };
    if (first.payload[0] === 0) return { ok: okOf(first.payload) };
    return this.#resultSet(new Cursor(first.payload).lengthEncoded() ?? 0);
  }

  /** Sends a raw command and returns the first reply packet as it came; null if there is none in time. */
  async raw(payload: Buffer, timeoutMs: number): Promise<Buffer | null> {
    this.#socket.write(frame(payload, 0));
    const packet = await this.#packet(timeoutMs);
    return packet === null || packet === "timeout" ? null : frame(packet.payload, packet.sequence);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #resultSet(columnCount: number): Promise<ClientReply> {
    const columns: string[] = [];
    while (columns.length < columnCount) columns.push(columnName(await this.#packetOrThrow()));
    await this.#packetOrThrow();
    const rows: Cell[][] = [];
    for (;;) {
      const packet = await this.#packetOrThrow();
      if (packet.payload[0] === 0xfe && packet.payload.length < 9) return { columns, rows };
      const cursor = new Cursor(packet.payload);
      rows.push(columns.map(() => cursor.lengthEncodedBytes()?.toString() ?? null));
    }
  }

  async #packetOrThrow(): Promise<Packet> {
    const packet = await this.#packet(10_000);
    if (packet === null || packet === "timeout") throw new Refused("the result set broke off");
    return packet;
  }

  async #packet(timeoutMs: number): Promise<Packet | null | "timeout"> {
    const deadline = Date.now() + timeoutMs;
    while (this.#packets.length === 0 && !this.#isLost) {
      if (Date.now() >= deadline) return "timeout";
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
      await promise;
      clearTimeout(timer);
    }
    return this.#packets.shift() ?? null;
  }
}

/** The first bytes that the server sends; null if the connection fails before. */
function firstChunk(socket: Socket): Promise<Buffer | null> {
  return new Promise((resolve) => {
    socket.once("data", resolve);
    socket.once("close", () => resolve(null));
  });
}

function lost(isTimeout: boolean): ClientError {
  const message = `Lost connection to MySQL server during query${isTimeout ? " (timed out)" : ""}`;
  return { code: 2013, state: null, message };
}

function okOf(payload: Buffer): { affectedRows: number; info: string } {
  const cursor = new Cursor(payload.subarray(1));
  const affectedRows = cursor.lengthEncoded() ?? 0;
  cursor.lengthEncoded();
  cursor.int(4);
  return { affectedRows, info: cursor.remaining > 0 ? (cursor.lengthEncodedBytes()?.toString() ?? "") : "" };
}

function columnName(packet: Packet): string {
  const cursor = new Cursor(packet.payload);
  for (let skipped = 0; skipped < 4; skipped++) cursor.lengthEncodedBytes();
  return cursor.lengthEncodedBytes()?.toString() ?? "";
}
