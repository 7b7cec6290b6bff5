import { EventEmitter } from "node:events";
import { readVariableDefaults } from "./schema.ts";

/** Which module a variable belongs to: the word before the first dash. */
export type VariableModule = "mysql" | "admin";

const DAYS_20_MS = 20 * 24 * 3600 * 1000;
const WEEK_MS = 7 * 24 * 3600 * 1000;
const TEN_MINUTES_MS = 600_000;
const HOUR_MS = 3_600_000;
const GIBIBYTE = 1024 ** 3;
const MEBIBYTE = 1024 ** 2;
const MAX_INT = 2 ** 31 - 1;

type Range = readonly [minimum: number, maximum: number];

/**
 * Ranges of the integer variables; an integer variable that is not listed takes any value from 0 to 2^31 - 1.
 *
 * @see https://proxysql.com/documentation/global-variables/
 */
const RANGES: Readonly<Record<string, Range>> = {
  "admin-cluster_check_interval_ms": [10, 300_000],
  "admin-cluster_check_status_frequency": [0, 10_000],
  "admin-cluster_mysql_servers_sync_algorithm": [1, 3],
  "admin-refresh_interval": [100, 100_000],
  "admin-restapi_port": [1, 65_535],
  "admin-stats_mysql_connection_pool": [0, 300],
  "admin-stats_mysql_connections": [0, 300],
  "admin-stats_mysql_query_cache": [0, 300],
  "admin-stats_system_cpu": [0, 600],
  "admin-stats_system_memory": [0, 600],
  "admin-web_port": [1, 65_535],
  "mysql-auditlog_filesize": [MEBIBYTE, GIBIBYTE],
  "mysql-aurora_max_lag_ms_only_read_from_replicas": [0, 100],
  "mysql-auto_increment_delay_multiplex": [0, 1_000_000],
  "mysql-auto_increment_delay_multiplex_timeout_ms": [0, HOUR_MS],
  "mysql-binlog_reader_connect_retry_msec": [200, 120_000],
  "mysql-connect_retries_delay": [0, 10_000],
  "mysql-connect_retries_on_failure": [0, 1000],
  "mysql-connect_timeout_client": [500, HOUR_MS],
  "mysql-connect_timeout_server": [10, 120_000],
  "mysql-connect_timeout_server_max": [10, HOUR_MS],
  "mysql-connection_delay_multiplex_ms": [0, 300_000],
  "mysql-connection_max_age_ms": [0, 24 * HOUR_MS],
  "mysql-connpoll_reset_queue_length": [0, 10_000],
  "mysql-default_max_latency_ms": [0, DAYS_20_MS],
  "mysql-default_query_delay": [0, HOUR_MS],
  "mysql-default_query_timeout": [1000, DAYS_20_MS],
  "mysql-eventslog_default_log": [0, 1],
  "mysql-eventslog_filesize": [MEBIBYTE, GIBIBYTE],
  "mysql-eventslog_format": [1, 2],
  "mysql-free_connections_pct": [0, 100],
  "mysql-handle_unknown_charset": [0, 2],
  "mysql-handle_warnings": [0, 1],
  "mysql-hostgroup_manager_verbose": [0, 3],
  "mysql-long_query_time": [0, DAYS_20_MS],
  "mysql-max_allowed_packet": [8192, GIBIBYTE],
  "mysql-max_connections": [1, 1_000_000],
  "mysql-max_stmts_cache": [128, MEBIBYTE],
  "mysql-max_stmts_per_connection": [1, 1024],
  "mysql-max_transaction_idle_time": [1000, DAYS_20_MS],
  "mysql-max_transaction_time": [1000, DAYS_20_MS],
  "mysql-min_num_servers_lantency_awareness": [0, 10_000],
  "mysql-mirror_max_concurrency": [1, 8192],
  "mysql-mirror_max_queue_length": [0, MEBIBYTE],
  "mysql-monitor_connect_interval": [100, WEEK_MS],
  "mysql-monitor_connect_timeout": [100, TEN_MINUTES_MS],
  "mysql-monitor_galera_healthcheck_interval": [50, WEEK_MS],
  "mysql-monitor_galera_healthcheck_max_timeout_count": [1, 10],
  "mysql-monitor_galera_healthcheck_timeout": [50, TEN_MINUTES_MS],
  "mysql-monitor_groupreplication_healthcheck_interval": [100, WEEK_MS],
  "mysql-monitor_groupreplication_healthcheck_max_timeout_count": [1, 10],
  "mysql-monitor_groupreplication_healthcheck_timeout": [100, TEN_MINUTES_MS],
  "mysql-monitor_history": [1000, WEEK_MS],
  "mysql-monitor_ping_interval": [100, WEEK_MS],
  "mysql-monitor_ping_max_failures": [1, 1_000_000],
  "mysql-monitor_ping_timeout": [100, TEN_MINUTES_MS],
  "mysql-monitor_query_interval": [100, WEEK_MS],
  "mysql-monitor_query_timeout": [100, TEN_MINUTES_MS],
  "mysql-monitor_read_only_interval": [100, WEEK_MS],
  "mysql-monitor_read_only_max_timeout_count": [1, 1_000_000],
  "mysql-monitor_read_only_timeout": [100, TEN_MINUTES_MS],
  "mysql-monitor_replication_lag_count": [1, 10],
  "mysql-monitor_replication_lag_interval": [100, WEEK_MS],
  "mysql-monitor_replication_lag_timeout": [100, TEN_MINUTES_MS],
  "mysql-monitor_slave_lag_when_null": [0, 604_800],
  "mysql-monitor_threads_max": [4, 1024],
  "mysql-monitor_threads_min": [2, 256],
  "mysql-monitor_threads_queue_maxsize": [16, 1024],
  "mysql-ping_interval_server_msec": [1000, WEEK_MS],
  "mysql-ping_timeout_server": [10, TEN_MINUTES_MS],
  "mysql-poll_timeout": [10, 20_000],
  "mysql-poll_timeout_on_failure": [10, 20_000],
  "mysql-query_cache_soft_ttl_pct": [0, 100],
  "mysql-query_digests_grouping_limit": [1, 2089],
  "mysql-query_digests_max_digest_length": [16, MEBIBYTE],
  "mysql-query_digests_max_query_length": [16, MEBIBYTE],
  "mysql-query_processor_iterations": [0, 1_000_000],
  "mysql-query_processor_regex": [1, 2],
  "mysql-query_retries_on_failure": [0, 1000],
  "mysql-query_rules_fast_routing_algorithm": [1, 2],
  "mysql-reset_connection_algorithm": [1, 2],
  "mysql-set_parser_algorithm": [1, 2],
  "mysql-set_query_lock_on_hostgroup": [0, 1],
  "mysql-show_processlist_extended": [0, 2],
  "mysql-shun_on_failures": [0, 10_000_000],
  "mysql-shun_recovery_time_sec": [0, 365 * 24 * 3600],
  "mysql-tcp_keepalive_time": [0, 7200],
  "mysql-threads": [1, 255],
  "mysql-throttle_connections_per_sec_to_hostgroup": [1, 100_000_000],
  "mysql-throttle_ratio_server_to_client": [0, 100],
  "mysql-unshun_algorithm": [0, 1],
  "mysql-wait_timeout": [0, DAYS_20_MS],
};

/** Text variables that refuse the empty string. */
const NEVER_EMPTY = new Set(["admin-admin_credentials", "admin-stats_credentials", "mysql-monitor_username"]);
/** Text variables whose default looks like a number. */
const TEXT_LIKE_NUMBERS = new Set(["mysql-server_version"]);
/** Take effect only when the process starts; LOAD puts the running value back. */
const START_ONLY = new Set(["mysql-interfaces", "mysql-threads"]);
/** Never take a value from anybody. */
const READ_ONLY = new Set(["admin-version"]);

/** Defaults of all variables by full name. */
export const DEFAULTS: ReadonlyMap<string, string> = new Map(readVariableDefaults());

/** The module of a variable's full name. */
export function moduleOf(name: string): VariableModule | null {
  if (name.startsWith("mysql-")) return "mysql";
  return name.startsWith("admin-") ? "admin" : null;
}

/** Whether LOAD ... TO RUNTIME may change the variable of a running server. */
export function isChangeable(name: string): boolean {
  return DEFAULTS.has(name) && !START_ONLY.has(name) && !READ_ONLY.has(name);
}

/** Whether the server takes a variable's value at start. */
export function isSettableAtStart(name: string): boolean {
  return DEFAULTS.has(name) && !READ_ONLY.has(name);
}

/** Whether a value is in the domain of the variable. Unlike SET, which takes anything, LOAD asks this. */
export function isValid(name: string, value: string): boolean {
  const fallback = DEFAULTS.get(name);
  if (fallback === undefined) return false;
  if (fallback === "true" || fallback === "false") return /^(true|false|1|0)$/i.test(value);
  if (/^\d+$/.test(fallback) && !TEXT_LIKE_NUMBERS.has(name)) {
    const [minimum, maximum] = RANGES[name] ?? [0, MAX_INT];
    return /^\d+$/.test(value) && Number(value) >= minimum && Number(value) <= maximum;
  }
  return value !== "" || !NEVER_EMPTY.has(name);
}

const COLLATIONS: Readonly<Record<string, string>> = {
  ascii: "ascii_general_ci",
  binary: "binary",
  latin1: "latin1_swedish_ci",
  utf8: "utf8_general_ci",
  utf8mb3: "utf8_general_ci",
  utf8mb4: "utf8mb4_general_ci",
};

/**
 * The running values of all variables, and typed access to those that steer this server.
 *
 * Emits `loaded` after each LOAD of a module's variables.
 */
export class Variables extends EventEmitter<{ loaded: [] }> {
  readonly #values = new Map(DEFAULTS);

  /** Current value by full name; the empty string for an unknown name. */
  get(name: string): string {
    return this.#values.get(name) ?? "";
  }

  /** Current value as a number. */
  number(name: string): number {
    return Number(this.get(name));
  }

  /** Current value as a boolean. */
  flag(name: string): boolean {
    return /^(true|1)$/i.test(this.get(name));
  }

  /** Names and values of one module, sorted by name. */
  entries(module: VariableModule): [string, string][] {
    return [...this.#values].filter(([name]) => moduleOf(name) === module);
  }

  /** Sets a value that the caller has found valid; a boolean is kept as `true` or `false`. */
  set(name: string, value: string): void {
    const fallback = DEFAULTS.get(name);
    const isFlag = fallback === "true" || fallback === "false";
    this.#values.set(name, isFlag ? String(/^(true|1)$/i.test(value)) : value);
  }

  /** Makes a collation of another character set than the default one give way to that set's own default. */
  alignCollation(): void {
    const charset = this.get("mysql-default_charset");
    const name = "mysql-default_collation_connection";
    if (this.get(name).startsWith(`${charset}_`) || this.get(name) === charset) return;
    this.#values.set(name, COLLATIONS[charset] ?? this.get(name));
  }
}
