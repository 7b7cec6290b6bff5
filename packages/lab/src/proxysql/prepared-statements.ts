import { BackendError } from "./backend.ts";
import type { Sink } from "./exchange.ts";
import type { HeldConnection } from "./pool.ts";
import type { SessionServers } from "./session-servers.ts";
import { Cursor } from "./wire/cursor.ts";

/** Where the number of a statement stands: in commands after the command byte, in the reply after header and 0x00. */
const NUMBER_IN_COMMAND = 1;
const NUMBER_IN_REPLY = 5;

interface PreparedStatement {
  readonly sql: string;
  /** The COM_STMT_PREPARE that made it. */
  readonly payload: Buffer;
}

/** Keeps the bytes of a reply instead of sending them. */
class Collector implements Sink {
  readonly #parts: Buffer[] = [];

  write(bytes: Buffer): boolean {
    this.#parts.push(bytes);
    return true;
  }

  onDrain(): void {
    // Nothing waits: write() never asks for it.
  }

  take(): Buffer {
    return Buffer.concat(this.#parts.splice(0));
  }
}

/**
 * A session's prepared statements: the client knows each by one number, whichever servers it is prepared at.
 */
export class PreparedStatements {
  readonly #servers: SessionServers;
  readonly #statements = new Map<number, PreparedStatement>();
  #last = 0;

  constructor(servers: SessionServers) {
    this.#servers = servers;
  }

  /** The text of a client's statement. */
  textOf(payload: Buffer): string | null {
    return this.#statements.get(payload.readUInt32LE(NUMBER_IN_COMMAND))?.sql ?? null;
  }

  /** Prepares a statement; returns the reply for the client. */
  async prepare(hostgroup: number, sql: string, payload: Buffer): Promise<Buffer> {
    const sink = new Collector();
    const { reply, held } = await this.#servers.relay({ hostgroup, payload, sink });
    const answer = sink.take();
    if (reply.error !== null) return answer;
    this.#last += 1;
    held.statements.set(this.#last, answer.readUInt32LE(NUMBER_IN_REPLY));
    answer.writeUInt32LE(this.#last, NUMBER_IN_REPLY);
    this.#statements.set(this.#last, { sql, payload: Buffer.from(payload) });
    return answer;
  }

  /** The command with the number that a server knows the statement by; prepares it there if need be. */
  async renumber(held: HeldConnection, payload: Buffer): Promise<Buffer> {
    const renumbered = Buffer.from(payload);
    const number = payload.readUInt32LE(NUMBER_IN_COMMAND);
    renumbered.writeUInt32LE(await this.#numberAt(held, number), NUMBER_IN_COMMAND);
    return renumbered;
  }

  /** Forgets a statement, here and at the servers. */
  close(payload: Buffer): void {
    const number = payload.readUInt32LE(NUMBER_IN_COMMAND);
    this.#statements.delete(number);
    for (const held of this.#servers.held) {
      const known = held.statements.get(number);
      if (known === undefined) continue;
      const command = Buffer.from(payload.subarray(0, NUMBER_IN_COMMAND + 4));
      command.writeUInt32LE(known, NUMBER_IN_COMMAND);
      held.statements.delete(number);
      held.connection.send(command);
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#statements.clear();
  }

  async #numberAt(held: HeldConnection, number: number): Promise<number> {
    const known = held.statements.get(number);
    const statement = this.#statements.get(number);
    if (known !== undefined || statement === undefined) return known ?? 0;
    const sink = new Collector();
    const outcome = await this.#servers.exchange(held, statement.payload, sink);
    // A lost connection shows again, and is dealt with, when the command itself is sent.
    if (outcome.kind === "lost") return 0;
    if (outcome.reply.error !== null) throw new BackendError(outcome.reply.error, true);
    const prepared = new Cursor(sink.take().subarray(NUMBER_IN_REPLY)).int(4);
    held.statements.set(number, prepared);
    return prepared;
  }
}
