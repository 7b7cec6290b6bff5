import type { BackendConnection } from "./backend.ts";
import { ReplyTracker } from "./wire/reply-tracker.ts";

/** Errors by which a server says that it serves nobody now: 1047 (Galera is not ready), 1053 (shutting down). */
const NOT_SERVING: ReadonlySet<number> = new Set([1047, 1053]);

/** Where the bytes of a reply go. */
export interface Sink {
  write(bytes: Buffer): boolean;
  onDrain(callback: () => void): void;
}

/** How an exchange with a server ended. */
export type Outcome =
  | { readonly kind: "done"; readonly reply: ReplyTracker; readonly bytes: number }
  /** The connection is gone, or the server said that it does not serve; whether the client has seen a part of it. */
  | { readonly kind: "lost"; readonly hasStarted: boolean };

/** One command and its reply, relayed byte for byte. */
export class Exchange {
  readonly #connection: BackendConnection;
  readonly #reply: ReplyTracker;
  readonly #sink: Sink | null;
  readonly #settle: (outcome: Outcome) => void;
  #held: Buffer[] | null = [];
  #bytes = 0;
  /** Resolves when the reply is complete or the connection is lost. */
  readonly outcome: Promise<Outcome>;

  /**
   * @param sink takes the reply; null: the reply is read and dropped.
   */
  constructor(connection: BackendConnection, payload: Buffer, capabilities: number, sink: Sink | null) {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.outcome = promise;
    this.#settle = (outcome) => {
      connection.reader = { onData: () => connection.destroy(), onClose: () => undefined };
      resolve(outcome);
    };
    this.#connection = connection;
    this.#sink = sink;
    this.#reply = new ReplyTracker(payload[0] ?? 0, capabilities);
    connection.reader = { onData: (chunk) => this.#onData(chunk), onClose: () => this.abandon() };
    if (connection.isClosed) this.abandon();
    else connection.send(payload);
  }

  /** Gives the exchange up: the server has left. */
  abandon(): void {
    this.#connection.destroy();
    this.#settle({ kind: "lost", hasStarted: this.#held === null });
  }

  #onData(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#reply.push(chunk);
    if (this.#held !== null) {
      this.#held.push(chunk);
      if (!this.#reply.hasStarted) return;
      if (NOT_SERVING.has(this.#reply.error?.code ?? 0)) {
        this.abandon();
        return;
      }
      this.#relay(Buffer.concat(this.#held));
      this.#held = null;
    } else {
      this.#relay(chunk);
    }
    if (this.#reply.isDone) this.#settle({ kind: "done", reply: this.#reply, bytes: this.#bytes });
  }

  #relay(bytes: Buffer): void {
    if (this.#sink === null || this.#sink.write(bytes)) return;
    this.#connection.pause();
    this.#sink.onDrain(() => this.#connection.resume());
  }
}
