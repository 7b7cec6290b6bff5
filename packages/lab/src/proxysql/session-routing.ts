import { digestOf } from "./digest.ts";
import type { Routing } from "./query-rules.ts";
import type { Runtime } from "./runtime.ts";
import type { Relayed, SessionServers } from "./session-servers.ts";
import type { User } from "./users.ts";
import type { ClientConnection } from "./wire/client-connection.ts";

/** Decides where a session's statements go, and counts them. */
export class SessionRouting {
  readonly #runtime: Runtime;
  readonly #client: ClientConnection;
  readonly #user: User;
  readonly #servers: SessionServers;

  constructor(runtime: Runtime, client: ClientConnection, user: User, servers: SessionServers) {
    this.#runtime = runtime;
    this.#client = client;
    this.#user = user;
    this.#servers = servers;
  }

  /** What the query rules say about a statement. */
  route(text: string): Routing {
    const digest = digestOf(text);
    return this.#runtime.rules.route({
      username: this.#user.username,
      schema: this.#servers.schema,
      clientAddress: this.#client.remoteAddress,
      proxyAddress: this.#client.localAddress,
      proxyPort: this.#client.localPort,
      text,
      digestText: digest.text,
      digest: digest.hash,
    });
  }

  /** The hostgroup of a statement. A transaction stays where it began (transaction_persistent). */
  hostgroupFor(routing: Routing): number {
    const bound = this.#user.transactionPersistent === 1 ? this.#servers.transactionHostgroup : null;
    return bound ?? routing.hostgroup ?? this.#user.defaultHostgroup;
  }

  /** Runs a statement and counts it under its digest, whether it succeeds or not. */
  async counted(sql: string, hostgroup: number, run: (hostgroup: number) => Promise<Relayed>): Promise<Relayed> {
    const { text, hash } = digestOf(sql);
    const { username } = this.#user;
    const key = { hostgroup, schema: this.#servers.schema, username, digest: hash, digestText: text };
    const startedAt = performance.now();
    let [rowsAffected, rowsSent] = [0, 0];
    try {
      const relayed = await run(hostgroup);
      rowsAffected = relayed.reply.affectedRows;
      rowsSent = relayed.reply.rows;
      return relayed;
    } finally {
      const timeUs = Math.round((performance.now() - startedAt) * 1000);
      this.#runtime.statistics.countDigest(key, { timeUs, rowsAffected, rowsSent });
    }
  }
}
