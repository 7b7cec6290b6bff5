import { Capability, Command, Status } from "./capabilities.ts";
import { Cursor } from "./cursor.ts";
import { MAX_PAYLOAD } from "./packets.ts";
import { parseError, type SqlError } from "./replies.ts";

/** As much of a packet as is kept to understand it; an ERR packet's text is at most 512 bytes long. */
const HEAD_BYTES = 600;
const HEADER_BYTES = 4;

type State = "first" | "columns" | "columns end" | "rows" | "prepared" | "single" | "done";

/** Commands whose reply is one packet. */
const SINGLE: ReadonlySet<number> = new Set([
  Command.initDb,
  Command.ping,
  Command.statistics,
  Command.stmtReset,
  Command.setOption,
  Command.resetConnection,
]);

/**
 * Follows the reply to one command through a byte stream that is relayed as it is: knows when it is complete, what
 * its status flags say, and its error.
 */
export class ReplyTracker {
  readonly #deprecateEof: boolean;
  readonly #command: number;
  #state: State;
  #header: Buffer = Buffer.alloc(0);
  #head: Buffer = Buffer.alloc(0);
  #length = 0;
  #remaining = 0;
  #isContinuation = false;
  #pending = 0;
  /** Definitions of a prepared statement that are still to come, per group (parameters, columns). */
  #groups: number[] = [];

  /** Server status flags of the last OK or EOF packet. */
  status = 0;
  affectedRows = 0;
  insertId = 0;
  rows = 0;
  /** The error that ended the reply. */
  error: SqlError | null = null;
  /** Whether the first packet has been seen. */
  hasStarted = false;

  constructor(command: number, capabilities: number) {
    this.#command = command;
    this.#deprecateEof = (capabilities & Capability.deprecateEof) !== 0;
    if (command === Command.fieldList || command === Command.stmtFetch) this.#state = "rows";
    else this.#state = SINGLE.has(command) ? "single" : "first";
  }

  /** Whether the reply is complete. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Follows a chunk of the stream. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && this.#state !== "done") {
      if (this.#header.length < HEADER_BYTES) offset = this.#takeHeader(chunk, offset);
      else offset = this.#takePayload(chunk, offset);
      if (this.#header.length === HEADER_BYTES && this.#remaining === 0) this.#endOfPacket();
    }
  }

  #takeHeader(chunk: Buffer, offset: number): number {
    const part = chunk.subarray(offset, offset + HEADER_BYTES - this.#header.length);
    this.#header = this.#header.length === 0 ? part : Buffer.concat([this.#header, part]);
    if (this.#header.length === HEADER_BYTES) {
      this.#length = this.#header.readUIntLE(0, 3);
      this.#remaining = this.#length;
      this.#head = Buffer.alloc(0);
    }
    return offset + part.length;
  }

  #takePayload(chunk: Buffer, offset: number): number {
    const part = chunk.subarray(offset, offset + this.#remaining);
    const missing = HEAD_BYTES - this.#head.length;
    if (missing > 0) {
      this.#head =
        this.#head.length === 0 ? part.subarray(0, missing) : Buffer.concat([this.#head, part.subarray(0, missing)]);
    }
    this.#remaining -= part.length;
    return offset + part.length;
  }

  #endOfPacket(): void {
    const isContinuation = this.#isContinuation;
    this.#isContinuation = this.#length === MAX_PAYLOAD;
    this.#header = Buffer.alloc(0);
    if (!isContinuation) this.#onPacket();
  }

  #onPacket(): void {
    this.hasStarted = true;
    const kind = this.#head[0];
    if (kind === 0xff && this.#state !== "columns") {
      this.error = parseError(this.#head);
      this.#state = "done";
    } else if (this.#state === "first") {
      this.#onFirst(kind);
    } else if (this.#state === "single") {
      this.#readOk();
      this.#state = "done";
    } else if (this.#state === "columns") {
      this.#pending -= 1;
      if (this.#pending === 0) this.#state = this.#deprecateEof ? "rows" : "columns end";
    } else if (this.#state === "columns end") {
      this.status = this.#head.readUInt16LE(3);
      if (this.status & Status.cursorExists) this.#endOfResult();
      else this.#state = "rows";
    } else if (this.#state === "prepared") {
      this.#onDefinition();
    } else {
      this.#onRow(kind);
    }
  }

  #onFirst(kind: number | undefined): void {
    if (kind !== 0) {
      this.#pending = new Cursor(this.#head).lengthEncoded() ?? 0;
      this.#state = "columns";
    } else if (this.#command === Command.stmtPrepare) {
      const [columns, params] = [this.#head.readUInt16LE(5), this.#head.readUInt16LE(7)];
      this.#groups = [params, columns].filter((count) => count > 0).map((n) => n + (this.#deprecateEof ? 0 : 1));
      this.#state = this.#groups.length === 0 ? "done" : "prepared";
    } else {
      this.#readOk();
      this.#endOfResult();
    }
  }

  #onDefinition(): void {
    const [left = 0, ...others] = this.#groups;
    this.#groups = left > 1 ? [left - 1, ...others] : others;
    if (this.#groups.length === 0) this.#state = "done";
  }

  #onRow(kind: number | undefined): void {
    const isEnd = kind === 0xfe && this.#length < (this.#deprecateEof ? MAX_PAYLOAD : 9);
    if (!isEnd) {
      this.rows += 1;
      return;
    }
    if (this.#deprecateEof && this.#length > 5) this.#readOk();
    else this.status = this.#head.readUInt16LE(3);
    this.#endOfResult();
  }

  #readOk(): void {
    if (this.#head[0] !== 0 && this.#head[0] !== 0xfe) return;
    const cursor = new Cursor(this.#head.subarray(1));
    this.affectedRows += cursor.lengthEncoded() ?? 0;
    this.insertId = cursor.lengthEncoded() ?? 0;
    this.status = cursor.int(2);
  }

  #endOfResult(): void {
    this.#state = this.status & Status.moreResults ? "first" : "done";
  }
}
