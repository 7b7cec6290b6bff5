import { type BackendConnection, BackendError, connectBackend } from "./backend.ts";
import { Command } from "./wire/capabilities.ts";
import { Cursor } from "./wire/cursor.ts";
import { PacketReader } from "./wire/packets.ts";
import { parseError } from "./wire/replies.ts";

/** A check that got no answer in time. */
export class CheckTimeout extends Error {
  override readonly name = "CheckTimeout";
}

const UTF8_GENERAL_CI = 33;

/** How the monitor logs in. */
export interface MonitorTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly passwordSha1: Buffer | null;
  readonly useSsl: boolean;
  readonly timeoutMs: number;
}

/** A connection that the monitor keeps open to a server. */
export class MonitorClient {
  readonly #connection: BackendConnection;

  private constructor(connection: BackendConnection) {
    this.#connection = connection;
  }

  /** @throws {BackendError} the server's refusal, or that it was not reached in time. */
  static async connect(target: MonitorTarget): Promise<MonitorClient> {
    const connection = await connectBackend({
      ...target,
      database: "",
      capabilities: 0,
      collation: UTF8_GENERAL_CI,
    });
    return new MonitorClient(connection);
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  close(): void {
    this.#connection.quit();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  /** Runs a query that gives one row, and returns its values by column name. */
  async row(sql: string, timeoutMs: number): Promise<ReadonlyMap<string, string | null>> {
    const request = Buffer.concat([Buffer.from([Command.query]), Buffer.from(sql)]);
    const payloads = await this.#exchange(request, timeoutMs, (received) => eofs(received) === 2);
    const count = new Cursor(payloads[0] ?? Buffer.alloc(0)).lengthEncoded() ?? 0;
    const names = payloads.slice(1, 1 + count).map(columnName);
    const cells = new Cursor(payloads[2 + count] ?? Buffer.alloc(0));
    return new Map(names.map((name) => [name, cells.lengthEncodedBytes()?.toString() ?? null]));
  }

  /** Asks whether the server is alive. */
  async ping(timeoutMs: number): Promise<void> {
    await this.#exchange(Buffer.from([Command.ping]), timeoutMs, (received) => received.length === 1);
  }

  #exchange(request: Buffer, timeoutMs: number, isComplete: (received: Buffer[]) => boolean): Promise<Buffer[]> {
    const connection = this.#connection;
    const reader = new PacketReader();
    const received: Buffer[] = [];
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        connection.reader = { onData: () => connection.destroy(), onClose: () => undefined };
        act();
      };
      const timer = setTimeout(() => {
        connection.destroy();
        settle(() => reject(new CheckTimeout("timeout check")));
      }, timeoutMs);
      const onData = (chunk: Buffer): void => {
        for (const { payload } of reader.push(chunk)) received.push(payload);
        const failed = received.find((payload, index) => index === 0 && payload[0] === 0xff);
        if (failed !== undefined) settle(() => reject(new BackendError(parseError(failed), true)));
        else if (isComplete(received)) settle(() => resolve(received));
      };
      const lost = { code: 2013, state: "HY000", message: "Lost connection to server during query" };
      connection.reader = { onData, onClose: () => settle(() => reject(new BackendError(lost, false))) };
      if (connection.isClosed) connection.reader.onClose();
      else connection.send(request);
    });
  }
}

function eofs(payloads: readonly Buffer[]): number {
  return payloads.filter((payload) => payload[0] === 0xfe && payload.length < 9).length;
}

function columnName(definition: Buffer): string {
  const cursor = new Cursor(definition);
  for (let skipped = 0; skipped < 4; skipped++) cursor.lengthEncodedBytes();
  return (cursor.lengthEncodedBytes()?.toString() ?? "").toLowerCase();
}
