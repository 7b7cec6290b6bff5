/** One line of stats_mysql_query_digest. */
export interface DigestEntry {
  readonly hostgroup: number;
  readonly schema: string;
  readonly username: string;
  readonly digest: string;
  readonly digestText: string;
  count: number;
  firstSeen: number;
  lastSeen: number;
  sumTimeUs: number;
  minTimeUs: number;
  maxTimeUs: number;
  rowsAffected: number;
  rowsSent: number;
}

/** One line of stats_mysql_errors. */
export interface ErrorEntry {
  readonly hostgroup: number;
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly schema: string;
  readonly code: number;
  count: number;
  firstSeen: number;
  lastSeen: number;
  lastError: string;
}

/** A client session, as stats_mysql_processlist shows it. */
export interface SessionView {
  readonly id: number;
  readonly user: string;
  readonly schema: string;
  readonly clientHost: string;
  readonly clientPort: number;
  readonly hostgroup: number;
  readonly serverHost: string | null;
  readonly serverPort: number | null;
  readonly command: string;
  readonly sinceMs: number;
  readonly text: string | null;
  readonly isInTransaction: boolean;
  kill(): void;
}

/** Counters of stats_mysql_global that this server keeps; the rest of the table's names stay at zero. */
export type Counter =
  | "Client_Connections_aborted"
  | "Client_Connections_created"
  | "Server_Connections_aborted"
  | "Server_Connections_created"
  | "Access_Denied_Wrong_Password"
  | "Access_Denied_Max_Connections"
  | "Access_Denied_Max_User_Connections"
  | "Queries_backends_bytes_recv"
  | "Queries_backends_bytes_sent"
  | "Questions"
  | "Slow_queries"
  | "ConnPool_get_conn_immediate"
  | "ConnPool_get_conn_success"
  | "ConnPool_get_conn_failure"
  | "Com_frontend_stmt_prepare"
  | "Com_frontend_stmt_execute"
  | "Com_frontend_stmt_close"
  | "MySQL_Monitor_connect_check_OK"
  | "MySQL_Monitor_connect_check_ERR"
  | "MySQL_Monitor_ping_check_OK"
  | "MySQL_Monitor_ping_check_ERR"
  | "backend_offline_during_query"
  | "max_connect_timeouts"
  | "generated_error_packets";

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** What the server counts. */
export class Statistics {
  readonly startedAtMs = Date.now();
  readonly counters = new Map<Counter, number>();
  readonly digests = new Map<string, DigestEntry>();
  readonly errors = new Map<string, ErrorEntry>();
  readonly sessions = new Map<number, SessionView>();
  readonly userConnections = new Map<string, number>();
  #nextSession = 0;

  /** Adds to a counter. */
  add(counter: Counter, amount = 1): void {
    this.counters.set(counter, (this.counters.get(counter) ?? 0) + amount);
  }

  /** A number for a new client session. */
  nextSessionId(): number {
    this.#nextSession += 1;
    return this.#nextSession;
  }

  /** Seconds since the server started. */
  uptimeSeconds(): number {
    return Math.floor((Date.now() - this.startedAtMs) / 1000);
  }

  /** Counts a statement under its digest. */
  countDigest(
    key: Pick<DigestEntry, "hostgroup" | "schema" | "username" | "digest" | "digestText">,
    result: { timeUs: number; rowsAffected: number; rowsSent: number },
  ): void {
    const name = [key.hostgroup, key.schema, key.username, key.digest].join("\0");
    const seen = nowSeconds();
    const entry = this.digests.get(name) ?? {
      ...key,
      count: 0,
      firstSeen: seen,
      lastSeen: seen,
      sumTimeUs: 0,
      minTimeUs: result.timeUs,
      maxTimeUs: 0,
      rowsAffected: 0,
      rowsSent: 0,
    };
    entry.count += 1;
    entry.lastSeen = seen;
    entry.sumTimeUs += result.timeUs;
    entry.minTimeUs = Math.min(entry.minTimeUs, result.timeUs);
    entry.maxTimeUs = Math.max(entry.maxTimeUs, result.timeUs);
    entry.rowsAffected += result.rowsAffected;
    entry.rowsSent += result.rowsSent;
    this.digests.set(name, entry);
  }

  /** Counts an error that a server gave. */
  countError(
    key: Pick<ErrorEntry, "hostgroup" | "hostname" | "port" | "username" | "schema" | "code">,
    message: string,
  ): void {
    const name = [key.hostgroup, key.hostname, key.port, key.username, key.schema, key.code].join("\0");
    const seen = nowSeconds();
    const entry = this.errors.get(name) ?? { ...key, count: 0, firstSeen: seen, lastSeen: seen, lastError: "" };
    entry.count += 1;
    entry.lastSeen = seen;
    entry.lastError = message;
    this.errors.set(name, entry);
  }
}
