import { EventEmitter } from "node:events";

/** Status of a server in a hostgroup. OFFLINE_HARD means "not in this hostgroup any more". */
export type ServerStatus = "ONLINE" | "SHUNNED" | "OFFLINE_SOFT" | "OFFLINE_HARD";

/** A row of mysql_servers. */
export interface ServerRow {
  readonly hostgroup: number;
  readonly hostname: string;
  readonly port: number;
  readonly gtidPort: number;
  readonly status: ServerStatus;
  readonly weight: number;
  readonly compression: number;
  readonly maxConnections: number;
  readonly maxReplicationLag: number;
  readonly useSsl: number;
  readonly maxLatencyMs: number;
  readonly comment: string;
}

/** A user of a server's connection, told when the server leaves its hostgroup or stops taking traffic. */
export interface Occupant {
  serverLeft(server: Server): void;
}

/** A connection that waits in a server's pool for a session that can use it. */
export interface FreeConnection {
  /** Only a session with an equal key can take it over. */
  readonly key: string;
  destroy(): void;
}

/** Counters of one server, as in stats_mysql_connection_pool. */
export interface ServerCounters {
  connOk: number;
  connErr: number;
  maxConnUsed: number;
  queries: number;
  bytesSent: number;
  bytesReceived: number;
  latencyUs: number;
}

/** A server in one hostgroup, with its pool. */
export class Server {
  row: ServerRow;
  /** When connect errors or missed pings shunned it (ms since the epoch); null if it was not shunned so. */
  shunnedAt: number | null = null;
  readonly occupants = new Set<Occupant>();
  readonly free: FreeConnection[] = [];
  readonly counters: ServerCounters = {
    connOk: 0,
    connErr: 0,
    maxConnUsed: 0,
    queries: 0,
    bytesSent: 0,
    bytesReceived: 0,
    latencyUs: 0,
  };
  #recentErrors = { second: 0, count: 0 };

  constructor(row: ServerRow) {
    this.row = row;
  }

  get address(): string {
    return `${this.row.hostname}:${this.row.port}`;
  }

  get status(): ServerStatus {
    return this.shunnedAt !== null && this.row.status === "ONLINE" ? "SHUNNED" : this.row.status;
  }

  /** Counts a connect error and returns how many there were within this second. */
  countError(nowMs: number): number {
    const second = Math.floor(nowMs / 1000);
    if (this.#recentErrors.second !== second) this.#recentErrors = { second, count: 0 };
    this.#recentErrors.count += 1;
    this.counters.connErr += 1;
    return this.#recentErrors.count;
  }

  /** Closes the pool and tells the sessions that hold a connection. */
  evict(): void {
    this.dropFree();
    for (const occupant of [...this.occupants]) occupant.serverLeft(this);
  }

  /** Closes the pooled connections that no session holds. */
  dropFree(): void {
    for (const connection of this.free.splice(0)) connection.destroy();
  }
}

function keyOf(row: Pick<ServerRow, "hostgroup" | "hostname" | "port">): string {
  return `${row.hostgroup} ${row.hostname} ${row.port}`;
}

function byHostgroupAndName(left: Server, right: Server): number {
  const { hostgroup, hostname, port } = left.row;
  if (hostgroup !== right.row.hostgroup) return hostgroup - right.row.hostgroup;
  if (hostname !== right.row.hostname) return hostname < right.row.hostname ? -1 : 1;
  return port - right.row.port;
}

/**
 * The servers of all hostgroups at run time.
 *
 * Emits `changed` when a server may have become available, `loaded` when the rows come from a LOAD.
 */
export class Hostgroups extends EventEmitter<{ changed: []; loaded: [] }> {
  readonly #servers = new Map<string, Server>();
  /** Counts changes of the set; Servers_table_version in stats_mysql_global. */
  version = 0;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /** Servers that are in a hostgroup now, ordered by hostgroup, hostname and port. */
  list(): Server[] {
    return [...this.#servers.values()].filter((server) => server.status !== "OFFLINE_HARD").sort(byHostgroupAndName);
  }

  /**
   * Makes the given rows the servers of the hostgroups in scope (all, if no scope is given); others there leave.
   */
  replace(rows: readonly ServerRow[], scope?: ReadonlySet<number>): void {
    const wanted = new Map(rows.map((row) => [keyOf(row), row]));
    for (const [key, server] of this.#servers) {
      if (scope !== undefined && !scope.has(server.row.hostgroup)) continue;
      if (!wanted.has(key)) this.#apply(server, { ...server.row, status: "OFFLINE_HARD" });
    }
    for (const [key, row] of wanted) {
      const server = this.#servers.get(key) ?? new Server(row);
      this.#servers.set(key, server);
      this.#apply(server, row);
    }
    this.version += 1;
    this.emit("changed");
  }

  /** Shuns a server after connect errors or missed pings, until it is tried again. */
  shun(server: Server, nowMs: number): void {
    server.shunnedAt = nowMs;
    server.dropFree();
  }

  /** Ends the shunning of servers whose time is over. */
  unshun(hostgroup: number, nowMs: number, recoveryMs: number): void {
    for (const server of this.#servers.values()) {
      if (server.row.hostgroup !== hostgroup || server.shunnedAt === null) continue;
      if (nowMs - server.shunnedAt >= recoveryMs) server.shunnedAt = null;
    }
  }

  /**
   * Picks an ONLINE server of a hostgroup that has room, at random by weight.
   *
   * @returns null if there is none. A weight of 0 is never picked.
   */
  pick(hostgroup: number, excluded?: Server): Server | null {
    const candidates = this.list().filter(
      (server) =>
        server.row.hostgroup === hostgroup &&
        server.status === "ONLINE" &&
        server.row.weight > 0 &&
        server !== excluded &&
        server.occupants.size < server.row.maxConnections,
    );
    let ticket = Math.random() * candidates.reduce((sum, server) => sum + server.row.weight, 0);
    for (const server of candidates) {
      ticket -= server.row.weight;
      if (ticket < 0) return server;
    }
    return candidates[0] ?? null;
  }

  #apply(server: Server, row: ServerRow): void {
    const stays = row.status === "ONLINE" || row.status === "OFFLINE_SOFT";
    const didServe = server.row.status === "ONLINE" || server.row.status === "OFFLINE_SOFT";
    server.row = row;
    if (row.status !== "ONLINE") server.dropFree();
    if (!stays && didServe) server.evict();
    if (row.status === "OFFLINE_HARD") server.shunnedAt = null;
  }
}
