import { BackendError } from "./backend.ts";
import { digestOf } from "./digest.ts";
import { Exchange, type Outcome, type Sink } from "./exchange.ts";
import type { Occupant, Server } from "./hostgroups.ts";
import { acquire, countConnectError, type HeldConnection, type Identity, release } from "./pool.ts";
import type { Routing } from "./query-rules.ts";
import type { Runtime } from "./runtime.ts";
import { SessionSettings } from "./session-settings.ts";
import type { SessionView } from "./statistics.ts";
import type { User } from "./users.ts";
import { Command, Status } from "./wire/capabilities.ts";
import type { ClientConnection } from "./wire/client-connection.ts";
import { Cursor } from "./wire/cursor.ts";
import { frame } from "./wire/packets.ts";
import { renderError, renderOk, type SqlError } from "./wire/replies.ts";

const USE = /^\s*USE\s+`?([^`;\s]+)`?\s*;?\s*$/i;
/** Statements after which a connection carries what no other has. */
const STICKY = /\b(?:CREATE\s+TEMPORARY\s+TABLE|LOCK\s+TABLES?|GET_LOCK\s*\(|FLUSH\s+TABLES\s+WITH)\b/i;

/** The session must end without another word: what it relied on is lost. */
class SessionLost extends Error {
  override readonly name = "SessionLost";
}

interface PreparedStatement {
  readonly sql: string;
  readonly payload: Buffer;
}

/** One client's session: takes its commands one after the other and has servers carry them out. */
export class FrontendSession implements Occupant, SessionView {
  readonly id: number;
  readonly #runtime: Runtime;
  readonly #client: ClientConnection;
  readonly #user: User;
  readonly #identity: Identity;
  readonly #held = new Map<number, HeldConnection>();
  readonly #settings = new SessionSettings();
  readonly #statements = new Map<number, PreparedStatement>();
  readonly #queue: Buffer[] = [];
  #nextStatement = 0;
  #isBusy = false;
  #isClosed = false;
  #isDoomed = false;
  #exchange: { held: HeldConnection; exchange: Exchange } | null = null;
  #currentHostgroup: number;

  schema: string;
  command = "Sleep";
  text: string | null = null;
  sinceMs = Date.now();

  constructor(runtime: Runtime, client: ClientConnection, user: User, identity: Identity, schema: string) {
    this.id = client.id;
    this.#runtime = runtime;
    this.#client = client;
    this.#user = user;
    this.#identity = identity;
    this.#currentHostgroup = user.defaultHostgroup;
    this.schema = schema;
  }

  get user(): string {
    return this.#user.username;
  }

  get clientHost(): string {
    return this.#client.remoteAddress;
  }

  get clientPort(): number {
    return this.#client.remotePort;
  }

  get hostgroup(): number {
    return this.#currentHostgroup;
  }

  get serverHost(): string | null {
    return this.#held.get(this.#currentHostgroup)?.server.row.hostname ?? null;
  }

  get serverPort(): number | null {
    return this.#held.get(this.#currentHostgroup)?.server.row.port ?? null;
  }

  get isInTransaction(): boolean {
    return [...this.#held.values()].some((held) => held.isInTransaction);
  }

  kill(): void {
    this.#client.destroy();
  }

  /** A server left its hostgroup: what runs there is given up; what is bound to it ends the session. */
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

  /** Ends the session: the client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#exchange?.exchange.abandon();
    for (const held of this.#held.values()) {
      void release(this.#runtime, held, this.#identity, this);
    }
    this.#held.clear();
  }

  /** Takes a command; it waits for those before it. */
  push(payload: Buffer): void {
    this.#queue.push(payload);
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#queue.shift(); next !== undefined && !this.#isClosed; next = this.#queue.shift()) {
      try {
        await this.#handle(next);
      } catch (error) {
        this.#onFailure(error);
      }
      this.command = "Sleep";
      this.text = null;
      this.sinceMs = Date.now();
    }
    this.#isBusy = false;
  }

  #onFailure(error: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof BackendError) {
      this.#reply(error.sql);
    } else {
      if (!(error instanceof SessionLost)) this.#runtime.log("ERROR", `session ${this.id}: ${String(error)}`);
      this.#client.destroy();
    }
  }

  #reply(answer: SqlError | "ok"): void {
    if (answer !== "ok") this.#runtime.statistics.add("generated_error_packets");
    const status = Status.autocommit | (this.isInTransaction ? Status.inTransaction : 0);
    this.#client.write(frame(answer === "ok" ? renderOk(0, "", status) : renderError(answer), 1));
  }

  async #handle(payload: Buffer): Promise<void> {
    if (this.#isDoomed) throw new SessionLost("a connection that the session was bound to is lost");
    const rest = payload.subarray(1);
    switch (payload[0]) {
      case Command.quit:
        this.#client.end();
        break;
      case Command.ping:
        this.#reply("ok");
        break;
      case Command.initDb:
        this.#use(rest.toString());
        break;
      case Command.query:
        await this.#query(rest.toString(), payload);
        break;
      case Command.stmtPrepare:
        await this.#prepare(rest.toString(), payload);
        break;
      case Command.stmtExecute:
      case Command.stmtReset:
      case Command.stmtFetch:
      case Command.stmtSendLongData:
        await this.#runPrepared(payload);
        break;
      case Command.stmtClose:
        this.#closeStatement(payload);
        break;
      case Command.resetConnection:
        this.#resetSession();
        this.#reply("ok");
        break;
      case Command.fieldList:
      case Command.setOption:
      case Command.statistics:
        await this.#relay(this.#hostgroupFor({}), payload, null);
        break;
      default:
        this.#reply({ code: 1047, state: "08S01", message: "Unknown command" });
    }
  }

  #use(schema: string): void {
    this.schema = schema;
    this.#reply("ok");
  }

  #resetSession(): void {
    for (const held of this.#held.values()) void release(this.#runtime, held, this.#identity, this);
    this.#held.clear();
    this.#settings.clear();
    this.#statements.clear();
  }

  async #query(sql: string, payload: Buffer): Promise<void> {
    this.#runtime.statistics.add("Questions");
    const use = USE.exec(sql);
    if (use?.[1] !== undefined) {
      this.#use(use[1]);
      return;
    }
    this.#begin("Query", sql);
    const routing = this.#route(sql);
    if (await this.#answeredByRule(routing)) return;
    const text = routing.text ?? sql;
    const sent =
      routing.text === undefined ? payload : Buffer.concat([Buffer.from([Command.query]), Buffer.from(text)]);
    const hostgroup = this.#hostgroupFor(routing);
    const startedAt = performance.now();
    try {
      const done = await this.#relay(hostgroup, sent, routing.retries ?? null);
      const { reply, held } = done;
      if (STICKY.test(text)) held.isSticky = true;
      if (reply.error === null && SessionSettings.isSetting(text)) held.settingsMade = this.#settings.record(text);
      this.#countDigest(sql, hostgroup, startedAt, reply.affectedRows, reply.rows);
    } catch (error) {
      this.#countDigest(sql, hostgroup, startedAt, 0, 0);
      throw error;
    }
  }

  async #answeredByRule(routing: Routing): Promise<boolean> {
    if (routing.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, routing.delayMs));
    if (routing.error !== undefined) this.#reply({ code: 1148, state: "42000", message: routing.error });
    else if (routing.ok !== undefined) this.#client.write(frame(renderOk(0, routing.ok), 1));
    else return false;
    return true;
  }

  #begin(command: string, text: string): void {
    this.command = command;
    this.text = text.slice(0, 1024);
    this.sinceMs = Date.now();
  }

  #route(text: string): Routing {
    const digest = digestOf(text);
    return this.#runtime.rules.route({
      username: this.user,
      schema: this.schema,
      clientAddress: this.#client.remoteAddress,
      proxyAddress: this.#client.localAddress,
      proxyPort: this.#client.localPort,
      text,
      digestText: digest.text,
      digest: digest.hash,
    });
  }

  /** A transaction stays where it began (transaction_persistent). */
  #hostgroupFor(routing: Routing): number {
    if (this.#user.transactionPersistent === 1) {
      for (const [hostgroup, held] of this.#held) if (held.isInTransaction) return hostgroup;
    }
    return routing.hostgroup ?? this.#user.defaultHostgroup;
  }

  /** Sends a command to a hostgroup and its reply to the client; once more if the connection is lost for nothing. */
  async #relay(
    hostgroup: number,
    payload: Buffer,
    retries: number | null,
    sink: Sink = this.#client,
    prepare?: (held: HeldConnection) => Promise<Buffer>,
  ): Promise<{ reply: Extract<Outcome, { kind: "done" }>["reply"]; held: HeldConnection }> {
    let left = retries ?? this.#runtime.variables.number("mysql-query_retries_on_failure");
    for (;;) {
      const held = await this.#attach(hostgroup);
      const wasPinned = held.isPinned;
      const sent = prepare === undefined ? payload : await prepare(held);
      const outcome = await this.#exchangeOn(held, sent, sink);
      if (outcome.kind === "done") {
        this.#afterReply(held, payload, outcome);
        return { reply: outcome.reply, held };
      }
      this.#held.delete(hostgroup);
      held.server.occupants.delete(this);
      countConnectError(this.#runtime, held.server);
      if (wasPinned || outcome.hasStarted || left === 0 || this.#isClosed) {
        throw new SessionLost("the server's connection was lost");
      }
      left -= 1;
    }
  }

  async #exchangeOn(held: HeldConnection, payload: Buffer, sink: Sink | null): Promise<Outcome> {
    const exchange = new Exchange(held.connection, payload, this.#identity.capabilities, sink);
    this.#exchange = { held, exchange };
    const outcome = await exchange.outcome;
    this.#exchange = null;
    if (outcome.kind === "done") this.#watch(held);
    return outcome;
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
    if (held.isPinned) this.#isDoomed = true;
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
    const key = { hostgroup, hostname, port, username: this.user, schema: this.schema, code: error.code };
    this.#runtime.statistics.countError(key, error.message);
  }

  #countDigest(sql: string, hostgroup: number, startedAt: number, rowsAffected: number, rowsSent: number): void {
    const { text, hash } = digestOf(sql);
    const timeUs = Math.round((performance.now() - startedAt) * 1000);
    this.#runtime.statistics.countDigest(
      { hostgroup, schema: this.schema, username: this.user, digest: hash, digestText: text },
      { timeUs, rowsAffected, rowsSent },
    );
  }

  /** A connection to the hostgroup with this session's schema and settings. */
  async #attach(hostgroup: number): Promise<HeldConnection> {
    this.#currentHostgroup = hostgroup;
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
      await this.#make(held, Buffer.concat([Buffer.from([Command.initDb]), Buffer.from(this.schema)]));
      held.schema = this.schema;
    }
    for (const setting of this.#settings.since(held.settingsMade)) {
      await this.#make(held, Buffer.concat([Buffer.from([Command.query]), Buffer.from(setting.sql)]));
      held.settingsMade = setting.number;
    }
  }

  /** Has a server carry out a command of the proxy's own. */
  async #make(held: HeldConnection, payload: Buffer): Promise<void> {
    const outcome = await this.#exchangeOn(held, payload, null);
    if (outcome.kind === "done" && outcome.reply.error !== null) throw new BackendError(outcome.reply.error, true);
  }

  async #prepare(sql: string, payload: Buffer): Promise<void> {
    this.#runtime.statistics.add("Com_frontend_stmt_prepare");
    this.#begin("Prepare", sql);
    this.#nextStatement += 1;
    const number = this.#nextStatement;
    const collected: Buffer[] = [];
    const sink: Sink = { write: (bytes) => collected.push(bytes) > 0, onDrain: () => undefined };
    const { reply, held } = await this.#relay(this.#hostgroupFor(this.#route(sql)), payload, null, sink);
    const answer = Buffer.concat(collected);
    if (reply.error === null) {
      held.statements.set(number, answer.readUInt32LE(5));
      answer.writeUInt32LE(number, 5);
      this.#statements.set(number, { sql, payload: Buffer.from(payload) });
    }
    this.#client.write(answer);
  }

  async #runPrepared(payload: Buffer): Promise<void> {
    const number = payload.readUInt32LE(1);
    const statement = this.#statements.get(number);
    const command = payload[0];
    if (statement === undefined) {
      const message = `Unknown prepared statement handler (${number}) given to EXECUTE`;
      if (command !== Command.stmtSendLongData) this.#reply({ code: 1243, state: "HY000", message });
      return;
    }
    this.#begin("Execute", statement.sql);
    const hostgroup = this.#hostgroupFor(this.#route(statement.sql));
    const renumber = async (held: HeldConnection): Promise<Buffer> => {
      const sent = Buffer.from(payload);
      sent.writeUInt32LE(await this.#statementOn(held, number, statement), 1);
      return sent;
    };
    if (command === Command.stmtSendLongData) {
      const held = await this.#attach(hostgroup);
      held.connection.send(await renumber(held));
      return;
    }
    if (command === Command.stmtExecute) {
      this.#runtime.statistics.add("Questions");
      this.#runtime.statistics.add("Com_frontend_stmt_execute");
    }
    const startedAt = performance.now();
    const { reply } = await this.#relay(hostgroup, payload, null, this.#client, renumber);
    if (command === Command.stmtExecute) {
      this.#countDigest(statement.sql, hostgroup, startedAt, reply.affectedRows, reply.rows);
    }
  }

  /** The server's number of a client's statement; prepares it there if it is not yet. */
  async #statementOn(held: HeldConnection, number: number, statement: PreparedStatement): Promise<number> {
    const known = held.statements.get(number);
    if (known !== undefined) return known;
    const collected: Buffer[] = [];
    const sink: Sink = { write: (bytes) => collected.push(bytes) > 0, onDrain: () => undefined };
    const outcome = await this.#exchangeOn(held, statement.payload, sink);
    if (outcome.kind === "lost") return 0;
    if (outcome.reply.error !== null) throw new BackendError(outcome.reply.error, true);
    const prepared = new Cursor(Buffer.concat(collected).subarray(5)).int(4);
    held.statements.set(number, prepared);
    return prepared;
  }

  #closeStatement(payload: Buffer): void {
    this.#runtime.statistics.add("Com_frontend_stmt_close");
    const number = payload.readUInt32LE(1);
    this.#statements.delete(number);
    for (const held of this.#held.values()) {
      const known = held.statements.get(number);
      if (known === undefined) continue;
      const sent = Buffer.from(payload.subarray(0, 5));
      sent.writeUInt32LE(known, 1);
      held.statements.delete(number);
      held.connection.send(sent);
    }
  }
}
