import { setTimeout as sleep } from "node:timers/promises";
import { BackendError } from "./backend.ts";
import type { Identity } from "./pool.ts";
import { PreparedStatements } from "./prepared-statements.ts";
import type { Routing } from "./query-rules.ts";
import type { Runtime } from "./runtime.ts";
import { SessionRouting } from "./session-routing.ts";
import { type Relayed, SessionLost, SessionServers } from "./session-servers.ts";
import { SessionSettings } from "./session-settings.ts";
import type { SessionView } from "./statistics.ts";
import type { User } from "./users.ts";
import { Command, Status } from "./wire/capabilities.ts";
import type { ClientConnection } from "./wire/client-connection.ts";
import { frame } from "./wire/packets.ts";
import { renderError, renderOk, type SqlError } from "./wire/replies.ts";

const USE = /^\s*USE\s+`?([^`;\s]+)`?\s*;?\s*$/i;
/** Statements after which a connection carries what no other has. */
const STICKY = /\b(?:CREATE\s+TEMPORARY\s+TABLE|LOCK\s+TABLES?|GET_LOCK\s*\(|FLUSH\s+TABLES\s+WITH)\b/i;
const SHOWN_TEXT_LENGTH = 1024;

/** One client's session: takes its commands one after the other and has servers carry them out. */
export class FrontendSession implements SessionView {
  readonly id: number;
  readonly #runtime: Runtime;
  readonly #client: ClientConnection;
  readonly #user: User;
  readonly #servers: SessionServers;
  readonly #prepared: PreparedStatements;
  readonly #routing: SessionRouting;
  readonly #queue: Buffer[] = [];
  #isBusy = false;
  #isClosed = false;
  #hostgroup: number;
  command = "Sleep";
  text: string | null = null;
  sinceMs = Date.now();

  constructor(runtime: Runtime, client: ClientConnection, user: User, identity: Identity, schema: string) {
    this.id = client.id;
    this.#runtime = runtime;
    this.#client = client;
    this.#user = user;
    this.#hostgroup = user.defaultHostgroup;
    this.#servers = new SessionServers(runtime, identity, schema);
    this.#prepared = new PreparedStatements(this.#servers);
    this.#routing = new SessionRouting(runtime, client, user, this.#servers);
  }

  get user(): string {
    return this.#user.username;
  }

  get schema(): string {
    return this.#servers.schema;
  }

  get clientHost(): string {
    return this.#client.remoteAddress;
  }

  get clientPort(): number {
    return this.#client.remotePort;
  }

  get hostgroup(): number {
    return this.#hostgroup;
  }

  get serverHost(): string | null {
    return this.#servers.serverOf(this.#hostgroup)?.row.hostname ?? null;
  }

  get serverPort(): number | null {
    return this.#servers.serverOf(this.#hostgroup)?.row.port ?? null;
  }

  get isInTransaction(): boolean {
    return this.#servers.transactionHostgroup !== null;
  }

  kill(): void {
    this.#client.destroy();
  }

  /** Ends the session: the client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#servers.close();
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
      this.#show("Sleep", null);
    }
    this.#isBusy = false;
  }

  #onFailure(error: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof BackendError) {
      this.#answer(error.sql);
    } else {
      if (!(error instanceof SessionLost)) this.#runtime.log("ERROR", `session ${this.id}: ${String(error)}`);
      this.#client.destroy();
    }
  }

  #answer(answer: SqlError | "ok", info = ""): void {
    if (answer !== "ok") this.#runtime.statistics.add("generated_error_packets");
    const status = Status.autocommit | (this.isInTransaction ? Status.inTransaction : 0);
    this.#client.write(frame(answer === "ok" ? renderOk(0, info, status) : renderError(answer), 1));
  }

  async #handle(payload: Buffer): Promise<void> {
    if (this.#servers.isDoomed) throw new SessionLost("a connection that the session was bound to is lost");
    switch (payload[0]) {
      case Command.quit:
        this.#client.end();
        break;
      case Command.ping:
        this.#answer("ok");
        break;
      case Command.initDb:
        this.#use(payload.subarray(1).toString());
        break;
      case Command.query:
        await this.#query(payload.subarray(1).toString(), payload);
        break;
      case Command.stmtPrepare:
        await this.#prepare(payload.subarray(1).toString(), payload);
        break;
      case Command.stmtExecute:
      case Command.stmtReset:
      case Command.stmtFetch:
      case Command.stmtSendLongData:
        await this.#runPrepared(payload);
        break;
      case Command.stmtClose:
        this.#runtime.statistics.add("Com_frontend_stmt_close");
        this.#prepared.close(payload);
        break;
      case Command.resetConnection:
        this.#servers.reset();
        this.#prepared.clear();
        this.#answer("ok");
        break;
      case Command.fieldList:
      case Command.setOption:
      case Command.statistics:
        await this.#servers.relay({ hostgroup: this.#routing.hostgroupFor({}), payload, sink: this.#client });
        break;
      default:
        this.#answer({ code: 1047, state: "08S01", message: "Unknown command" });
    }
  }

  #use(schema: string): void {
    this.#servers.schema = schema;
    this.#answer("ok");
  }

  async #query(sql: string, payload: Buffer): Promise<void> {
    this.#runtime.statistics.add("Questions");
    const use = USE.exec(sql);
    if (use?.[1] !== undefined) {
      this.#use(use[1]);
      return;
    }
    this.#show("Query", sql);
    const routing = this.#routing.route(sql);
    if (await this.#answeredByRule(routing)) return;
    const text = routing.text ?? sql;
    const sent =
      routing.text === undefined ? payload : Buffer.concat([Buffer.from([Command.query]), Buffer.from(text)]);
    const request = { payload: sent, sink: this.#client, retries: routing.retries };
    const { reply, held } = await this.#counted(sql, this.#routing.hostgroupFor(routing), (hostgroup) =>
      this.#servers.relay({ ...request, hostgroup }),
    );
    if (STICKY.test(text)) held.isSticky = true;
    if (reply.error === null && SessionSettings.isSetting(text)) {
      held.settingsMade = this.#servers.settings.record(text);
    }
  }

  async #answeredByRule(routing: Routing): Promise<boolean> {
    if (routing.delayMs !== undefined) await sleep(routing.delayMs);
    if (routing.error !== undefined) this.#answer({ code: 1148, state: "42000", message: routing.error });
    else if (routing.ok !== undefined) this.#answer("ok", routing.ok);
    else return false;
    return true;
  }

  async #prepare(sql: string, payload: Buffer): Promise<void> {
    this.#runtime.statistics.add("Com_frontend_stmt_prepare");
    this.#show("Prepare", sql);
    const hostgroup = this.#hostgroupOf(sql);
    this.#client.write(await this.#prepared.prepare(hostgroup, sql, payload));
  }

  async #runPrepared(payload: Buffer): Promise<void> {
    const sql = this.#prepared.textOf(payload);
    const command = payload[0];
    if (sql === null) {
      const message = `Unknown prepared statement handler (${payload.readUInt32LE(1)}) given to EXECUTE`;
      if (command !== Command.stmtSendLongData) this.#answer({ code: 1243, state: "HY000", message });
      return;
    }
    this.#show("Execute", sql);
    const wanted = this.#hostgroupOf(sql);
    if (command === Command.stmtSendLongData) {
      const held = await this.#servers.attach(wanted);
      held.connection.send(await this.#prepared.renumber(held, payload));
      return;
    }
    const run = (hostgroup: number): Promise<Relayed> =>
      this.#servers.relay({
        hostgroup,
        payload,
        sink: this.#client,
        payloadFor: (held) => this.#prepared.renumber(held, payload),
      });
    if (command !== Command.stmtExecute) {
      await run(wanted);
      return;
    }
    this.#runtime.statistics.add("Questions");
    this.#runtime.statistics.add("Com_frontend_stmt_execute");
    await this.#counted(sql, wanted, run);
  }

  #hostgroupOf(sql: string): number {
    return this.#routing.hostgroupFor(this.#routing.route(sql));
  }

  #counted(sql: string, hostgroup: number, run: (hostgroup: number) => Promise<Relayed>): Promise<Relayed> {
    this.#hostgroup = hostgroup;
    return this.#routing.counted(sql, hostgroup, run);
  }

  #show(command: string, text: string | null): void {
    this.command = command;
    this.text = text?.slice(0, SHOWN_TEXT_LENGTH) ?? null;
    this.sinceMs = Date.now();
  }
}
