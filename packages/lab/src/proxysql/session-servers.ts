import { BackendError } from "./backend.ts";
import { Exchange, type Outcome, type Sink } from "./exchange.ts";
import type { Occupant, Server } from "./hostgroups.ts";
import { acquire, countConnectError, type HeldConnection, type Identity, release } from "./pool.ts";
import type { Runtime } from "./runtime.ts";
import { SessionSettings } from "./session-settings.ts";
import { Command, Status } from "./wire/capabilities.ts";
import type { SqlError } from "./wire/replies.ts";
import type { ReplyTracker } from "./wire/reply-tracker.ts";

/** The session must end without another word: what it relied on is lost. */
export class SessionLost extends Error {
  override readonly name = "SessionLost";
}

/** A command for a server. */
export interface Request {
  readonly hostgroup: number;
  readonly payload: Buffer;
  /** Takes the reply. */
  readonly sink: Sink;
  /** How often to send it again when the connection is lost for nothing; default mysql-query_retries_on_failure. */
  readonly retries?: number | undefined;
  /** Makes the payload for the connection that was found; default: the payload as it is. */
  readonly payloadFor?: (held: HeldConnection) => Promise<Buffer>;
}

/** A reply that was relayed, and the connection it came by. */
export interface Relayed {
  readonly reply: ReplyTracker;
  readonly held: HeldConnection;
}

/** The servers' connections that one session holds: at most one for each hostgroup. */
export class SessionServers implements Occupant {
  readonly #runtime: Runtime;
  readonly #identity: Identity;
  readonly #held = new Map<number, HeldConnection>();
  #exchange: { held: HeldConnection; exchange: Exchange } | null = null;
  #isClosed = false;
  /** What the session has set, for every connection it comes to use. */
  readonly settings = new SessionSettings();
  /** Schema that the session uses. */
  schema: string;
  /** The session lost a connection that it was bound to. */
  isDoomed = false;

  constructor(runtime: Runtime, identity: Identity, schema: string) {
    this.#runtime = runtime;
    this.#identity = identity;
    this.schema = schema;
  }

  /** Connections held now. */
  get held(): readonly HeldConnection[] {
    return [...this.#held.values()];
  }

  /** Hostgroup in which a transaction is open; null if there is none. */
  get transactionHostgroup(): number | null {
    for (const [hostgroup, held] of this.#held) if (held.isInTransaction) return hostgroup;
    return null;
  }

  /** The server that the session uses in a hostgroup. */
  serverOf(hostgroup: number): Server | null {
    return this.#held.get(hostgroup)?.server ?? null;
  }

  /** A server left its hostgroup: what runs there is given up; what is bound to it dooms the session. */
  serverLeft(server: Server): void {
    for (const [hostgroup, held] of this.#held) {
      if (held.server !== server) continue;
      if (this.#exchange?.held === held) {
        this.#runtime.statistics.add("backend_offline_during_query");
        this.#exchange.exchange.abandon();
      } else {
        this.#drop(hostgroup, held);
      }
    }
  }

  /** Gives all connections back. */
  reset(): void {
    for (const held of this.#held.values()) void release(this.#runtime, held, this.#identity, this);
    this.#held.clear();
    this.settings.clear();
  }

  /** Ends: the client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#exchange?.exchange.abandon();
    this.reset();
  }

  /**
   * Sends a command to a hostgroup and relays its reply. If the connection is lost before the client has seen a part
   * of the reply, and nothing of the session's was bound to it, the command is sent again by another connection.
   *
   * @throws {BackendError} if no server could be had. @throws {SessionLost} if the connection was lost for good.
   */
  async relay(request: Request): Promise<Relayed> {
    let left = request.retries ?? this.#runtime.variables.number("mysql-query_retries_on_failure");
    for (;;) {
      const held = await this.attach(request.hostgroup);
      const wasPinned = held.isPinned;
      const payload = (await request.payloadFor?.(held)) ?? request.payload;
      const outcome = await this.exchange(held, payload, request.sink);
      if (outcome.kind === "done") {
        this.#afterReply(held, payload, outcome);
        return { reply: outcome.reply, held };
      }
      this.#held.delete(request.hostgroup);
      held.server.occupants.delete(this);
      countConnectError(this.#runtime, held.server);
      if (wasPinned || outcome.hasStarted || left === 0 || this.#isClosed) {
        throw new SessionLost("the server's connection was lost");
      }
      left -= 1;
    }
  }

  /** Has one connection carry out a command; without a sink, the reply is dropped. */
  async exchange(held: HeldConnection, payload: Buffer, sink: Sink | null): Promise<Outcome> {
    const exchange = new Exchange(held.connection, payload, this.#identity.capabilities, sink);
    this.#exchange = { held, exchange };
    const outcome = await exchange.outcome;
    this.#exchange = null;
    if (outcome.kind === "done") this.#watch(held);
    return outcome;
  }

  /** A connection to the hostgroup with this session's schema and settings. */
  async attach(hostgroup: number): Promise<HeldConnection> {
    const present = this.#held.get(hostgroup);
    if (present !== undefined && (present.isPinned || present.server.status === "ONLINE")) {
      await this.#bringUp(present);
      return present;
    }
    if (present !== undefined) this.#drop(hostgroup, present);
    const isWanted = (): boolean => !this.#isClosed;
    const held = await acquire(this.#runtime, hostgroup, this.#identity, this.schema, this, isWanted);
    if (this.#isClosed) {
      held.server.occupants.delete(this);
      held.connection.quit();
      throw new SessionLost("the client is gone");
    }
    this.#held.set(hostgroup, held);
    await this.#bringUp(held);
    return held;
  }

  async #bringUp(held: HeldConnection): Promise<void> {
    if (held.schema !== this.schema) {
      await this.#make(held, Command.initDb, this.schema);
      held.schema = this.schema;
    }
    for (const setting of this.settings.since(held.settingsMade)) {
      await this.#make(held, Command.query, setting.sql);
      held.settingsMade = setting.number;
    }
  }

  /** Has a server carry out a command of the proxy's own. */
  async #make(held: HeldConnection, command: number, text: string): Promise<void> {
    const outcome = await this.exchange(held, Buffer.concat([Buffer.from([command]), Buffer.from(text)]), null);
    if (outcome.kind === "done" && outcome.reply.error !== null) throw new BackendError(outcome.reply.error, true);
  }

  /** Between commands: notices when the server closes the connection. */
  #watch(held: HeldConnection): void {
    const { hostgroup } = held.server.row;
    held.connection.reader = {
      onData: () => held.connection.destroy(),
      onClose: () => this.#drop(hostgroup, held),
    };
  }

  #drop(hostgroup: number, held: HeldConnection): void {
    if (this.#held.get(hostgroup) !== held) return;
    this.#held.delete(hostgroup);
    held.server.occupants.delete(this);
    held.connection.reader = { onData: () => undefined, onClose: () => undefined };
    held.connection.destroy();
    if (held.isPinned) this.isDoomed = true;
  }

  #afterReply(held: HeldConnection, payload: Buffer, outcome: Extract<Outcome, { kind: "done" }>): void {
    const { reply } = outcome;
    const { counters } = held.server;
    if (reply.error === null && reply.status !== 0) {
      held.isInTransaction = (reply.status & Status.inTransaction) !== 0;
    }
    const keepFor = this.#runtime.variables.number("mysql-auto_increment_delay_multiplex");
    held.keepFor = reply.insertId > 0 ? keepFor : Math.max(0, held.keepFor - 1);
    counters.queries += 1;
    counters.bytesSent += payload.length - 1;
    counters.bytesReceived += outcome.bytes;
    if (reply.error !== null) this.#countError(held, reply.error);
  }

  #countError(held: HeldConnection, error: SqlError): void {
    const { hostgroup, hostname, port } = held.server.row;
    const key = { hostgroup, hostname, port, username: this.#identity.user, schema: this.schema, code: error.code };
    this.#runtime.statistics.countError(key, error.message);
  }
}
