import { setTimeout as sleep } from "node:timers/promises";
import { type BackendConnection, BackendError, connectBackend } from "./backend.ts";
import { Exchange } from "./exchange.ts";
import type { FreeConnection, Occupant, Server } from "./hostgroups.ts";
import type { Runtime } from "./runtime.ts";
import { Command } from "./wire/capabilities.ts";
import type { SqlError } from "./wire/replies.ts";

/** How often a session that waits for a server looks again (mysql-poll_timeout_on_failure). */
const LOOK_AGAIN_MS = 100;
/** Errors of a login that another attempt, there or elsewhere, may not meet: too many connections, not ready, stopping. */
const TRANSIENT: ReadonlySet<number> = new Set([1040, 1047, 1053, 1203]);

/** Who opens a connection, and with which settings of the protocol. */
export interface Identity {
  readonly user: string;
  readonly passwordSha1: Buffer | null;
  readonly capabilities: number;
  readonly collation: number;
}

/** A logged-in connection that a session holds, and what it carries of that session. */
export class HeldConnection {
  readonly connection: BackendConnection;
  readonly server: Server;
  /** Schema in force on the connection. */
  schema: string;
  isInTransaction = false;
  /** State lives on it that no other connection has: temporary tables, locks. */
  isSticky = false;
  /** Statements for which it must be kept, because a client may ask for LAST_INSERT_ID(). */
  keepFor = 0;
  /** Number of the last of the session's settings that was made on it. */
  settingsMade = 0;
  /** Prepared statements on it: the client's number and the server's. */
  readonly statements = new Map<number, number>();

  constructor(connection: BackendConnection, server: Server, schema: string) {
    this.connection = connection;
    this.server = server;
    this.schema = schema;
  }

  /** Whether losing the connection loses something of the session's. */
  get isPinned(): boolean {
    return this.isInTransaction || this.isSticky || this.keepFor > 0;
  }
}

class PooledConnection implements FreeConnection {
  readonly key: string;
  readonly held: HeldConnection;

  constructor(key: string, held: HeldConnection) {
    this.key = key;
    this.held = held;
  }

  destroy(): void {
    this.held.connection.quit();
  }
}

function keyOf(identity: Identity): string {
  const password = identity.passwordSha1?.toString("hex") ?? "";
  return [identity.user, password, identity.capabilities, identity.collation].join("\0");
}

function takePooled(server: Server, key: string): HeldConnection | null {
  for (let index = server.free.length - 1; index >= 0; index--) {
    const free = server.free[index];
    if (!(free instanceof PooledConnection) || free.key !== key) continue;
    server.free.splice(index, 1);
    if (!free.held.connection.isClosed) return free.held;
  }
  return null;
}

function occupy(server: Server, occupant: Occupant): void {
  server.occupants.add(occupant);
  server.counters.maxConnUsed = Math.max(server.counters.maxConnUsed, server.occupants.size);
}

async function open(runtime: Runtime, server: Server, identity: Identity, schema: string): Promise<HeldConnection> {
  const connection = await connectBackend({
    host: server.row.hostname,
    port: server.row.port,
    ...identity,
    database: schema,
    useSsl: server.row.useSsl === 1,
    timeoutMs: runtime.variables.number("mysql-connect_timeout_server"),
  });
  server.counters.connOk += 1;
  runtime.statistics.add("Server_Connections_created");
  return new HeldConnection(connection, server, schema);
}

/** Counts a failed connect and shuns the server when there are too many within a second. */
export function countConnectError(runtime: Runtime, server: Server): void {
  const { variables } = runtime;
  const limit = Math.min(
    variables.number("mysql-shun_on_failures"),
    variables.number("mysql-connect_retries_on_failure") + 1,
  );
  runtime.statistics.add("Server_Connections_aborted");
  if (server.countError(Date.now()) < limit || limit === 0 || server.status !== "ONLINE") return;
  const recoverySeconds = variables.number("mysql-shun_recovery_time_sec");
  runtime.hostgroups.shun(server, Date.now());
  runtime.log(
    "ERROR",
    `Shunning server ${server.address} with ${limit} errors/sec. Shunning for ${recoverySeconds} seconds`,
  );
}

async function waitForChange(runtime: Runtime): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  runtime.hostgroups.once("changed", resolve);
  const timer = setTimeout(resolve, LOOK_AGAIN_MS);
  await promise;
  clearTimeout(timer);
  runtime.hostgroups.off("changed", resolve);
}

function timedOut(runtime: Runtime, hostgroup: number): SqlError {
  const ms = runtime.variables.get("mysql-connect_timeout_server_max");
  runtime.statistics.add("max_connect_timeouts");
  const message = `Max connect timeout reached while reaching hostgroup ${hostgroup} after ${ms}ms`;
  return { code: 9001, state: "HY000", message };
}

function isFinal(error: unknown): boolean {
  return !(error instanceof BackendError) || (error.isAnswer && !TRANSIENT.has(error.sql.code));
}

/** One attempt at one server; null asks for another attempt. */
async function attempt(
  runtime: Runtime,
  server: Server,
  identity: Identity,
  schema: string,
  occupant: Occupant,
): Promise<HeldConnection | null> {
  const { statistics, variables } = runtime;
  const pooled = takePooled(server, keyOf(identity));
  occupy(server, occupant);
  if (pooled !== null) {
    statistics.add("ConnPool_get_conn_immediate");
    return pooled;
  }
  try {
    const held = await open(runtime, server, identity, schema);
    if (server.status !== "ONLINE") {
      server.occupants.delete(occupant);
      held.connection.quit();
      return null;
    }
    statistics.add("ConnPool_get_conn_success");
    return held;
  } catch (error) {
    server.occupants.delete(occupant);
    statistics.add("ConnPool_get_conn_failure");
    if (isFinal(error)) throw error;
    countConnectError(runtime, server);
    await sleep(Math.max(1, variables.number("mysql-connect_retries_delay")));
    return null;
  }
}

/** How long a shunned server is left alone; less than a client waits, so that a waiting client gets to try it. */
function recoveryMs(runtime: Runtime): number {
  const { variables } = runtime;
  const patience = Math.max(1000, variables.number("mysql-connect_timeout_server_max") - 1000);
  return Math.min(variables.number("mysql-shun_recovery_time_sec") * 1000, patience);
}

/**
 * Gets a connection to a server of a hostgroup: from a pool, or a new one. Waits while no server is ONLINE.
 *
 * @param isWanted asked between attempts; false ends the wait (the client is gone).
 * @throws {BackendError} the server's own refusal, or 9001 after mysql-connect_timeout_server_max.
 */
export async function acquire(
  runtime: Runtime,
  hostgroup: number,
  identity: Identity,
  schema: string,
  occupant: Occupant,
  isWanted: () => boolean,
): Promise<HeldConnection> {
  const deadline = Date.now() + runtime.variables.number("mysql-connect_timeout_server_max");
  while (isWanted()) {
    runtime.hostgroups.unshun(hostgroup, Date.now(), recoveryMs(runtime));
    const server = runtime.hostgroups.pick(hostgroup);
    const held = server === null ? null : await attempt(runtime, server, identity, schema, occupant);
    if (held !== null) return held;
    if (Date.now() >= deadline) break;
    if (server === null) await waitForChange(runtime);
  }
  throw new BackendError(timedOut(runtime, hostgroup), true);
}

/** Ends a session's hold: a clean connection goes back to the pool, others are closed. */
export async function release(
  runtime: Runtime,
  held: HeldConnection,
  identity: Identity,
  occupant: Occupant,
): Promise<void> {
  const { server, connection } = held;
  server.occupants.delete(occupant);
  if (connection.isClosed) return;
  const limit = (runtime.variables.number("mysql-free_connections_pct") * server.row.maxConnections) / 100;
  if (held.isInTransaction || held.isSticky || server.free.length >= limit || server.status !== "ONLINE") {
    connection.quit();
    return;
  }
  const reset = new Exchange(connection, Buffer.from([Command.resetConnection]), identity.capabilities, null);
  const outcome = await reset.outcome;
  if (outcome.kind === "lost" || outcome.reply.error !== null || server.status !== "ONLINE") {
    connection.quit();
    return;
  }
  const clean = new HeldConnection(connection, server, held.schema);
  const pooled = new PooledConnection(keyOf(identity), clean);
  connection.reader = { onData: () => connection.destroy(), onClose: () => removeFrom(server.free, pooled) };
  server.free.push(pooled);
}

function removeFrom(list: FreeConnection[], item: FreeConnection): void {
  const index = list.indexOf(item);
  if (index !== -1) list.splice(index, 1);
}
