import type { Runtime } from "./runtime.ts";
import type { Counter } from "./statistics.ts";

/**
 * Names of stats_mysql_global, 108 in number as in the real server: those that this server counts or computes, and
 * those that it shows as zero.
 */
const NAMES: readonly string[] = (
  "ProxySQL_Uptime Active_Transactions Client_Connections_aborted Client_Connections_connected " +
  "Client_Connections_created Server_Connections_aborted Server_Connections_connected Server_Connections_created " +
  "Server_Connections_delayed Client_Connections_non_idle Client_Connections_hostgroup_locked " +
  "mysql_backend_buffers_bytes mysql_frontend_buffers_bytes mysql_session_internal_bytes Com_autocommit " +
  "Com_autocommit_filtered Com_commit Com_commit_filtered Com_rollback Com_rollback_filtered Com_backend_change_user " +
  "Com_backend_init_db Com_backend_set_names Com_frontend_init_db Com_frontend_set_names Com_frontend_use_db " +
  "Com_backend_stmt_prepare Com_backend_stmt_execute Com_backend_stmt_close Com_frontend_stmt_prepare " +
  "Com_frontend_stmt_execute Com_frontend_stmt_close Questions Slow_queries GTID_consistent_queries " +
  "GTID_session_collected Queries_backends_bytes_recv Queries_backends_bytes_sent Queries_frontends_bytes_recv " +
  "Queries_frontends_bytes_sent Query_Processor_time_nsec Backend_query_time_nsec ConnPool_get_conn_latency_awareness " +
  "ConnPool_get_conn_immediate ConnPool_get_conn_success ConnPool_get_conn_failure mysql_killed_backend_connections " +
  "mysql_killed_backend_queries hostgroup_locked_set_cmds hostgroup_locked_queries mysql_unexpected_frontend_com_quit " +
  "mysql_unexpected_frontend_packets queries_with_max_lag_ms__total_wait_time_us queries_with_max_lag_ms__delayed " +
  "queries_with_max_lag_ms backend_lagging_during_query backend_offline_during_query " +
  "get_aws_aurora_replicas_skipped_during_query automatic_detected_sql_injection whitelisted_sqli_fingerprint " +
  "max_connect_timeouts generated_error_packets client_host_error_killed_connections Mirror_concurrency " +
  "Mirror_queue_length Selects_for_update__autocommit0 Servers_table_version MySQL_Thread_Workers " +
  "Access_Denied_Wrong_Password Access_Denied_Max_Connections Access_Denied_Max_User_Connections " +
  "MySQL_Monitor_Workers MySQL_Monitor_Workers_Aux MySQL_Monitor_Workers_Started MySQL_Monitor_connect_check_OK " +
  "MySQL_Monitor_connect_check_ERR MySQL_Monitor_ping_check_OK MySQL_Monitor_ping_check_ERR " +
  "MySQL_Monitor_read_only_check_OK MySQL_Monitor_read_only_check_ERR MySQL_Monitor_replication_lag_check_OK " +
  "MySQL_Monitor_replication_lag_check_ERR MySQL_Monitor_dns_cache_queried MySQL_Monitor_dns_cache_lookup_success " +
  "MySQL_Monitor_dns_cache_record_updated MyHGM_myconnpoll_get MyHGM_myconnpoll_get_ok MyHGM_myconnpoll_get_ping MyHGM_myconnpoll_push " +
  "MyHGM_myconnpoll_reset MyHGM_myconnpoll_destroy new_req_conns_count ConnPool_memory_bytes Stmt_Client_Active_Total " +
  "Stmt_Client_Active_Unique Stmt_Server_Active_Total Stmt_Server_Active_Unique Stmt_Max_Stmt_id Stmt_Cached " +
  "Query_Cache_Memory_bytes Query_Cache_count_GET Query_Cache_count_GET_OK Query_Cache_count_SET Query_Cache_bytes_IN " +
  "Query_Cache_bytes_OUT Query_Cache_Purged Query_Cache_Entries mysql_listener_paused"
).split(" ");

/** Rows of stats_mysql_global. */
export function globalStatus(runtime: Runtime): [string, string][] {
  const { statistics, hostgroups, variables } = runtime;
  const servers = hostgroups.list();
  const computed: Readonly<Record<string, number>> = {
    ProxySQL_Uptime: statistics.uptimeSeconds(),
    Active_Transactions: [...statistics.sessions.values()].filter((session) => session.isInTransaction).length,
    Client_Connections_connected: statistics.sessions.size,
    Client_Connections_non_idle: statistics.sessions.size,
    Server_Connections_connected: servers.reduce((sum, server) => sum + server.occupants.size + server.free.length, 0),
    Servers_table_version: hostgroups.version,
    MySQL_Thread_Workers: variables.number("mysql-threads"),
    MySQL_Monitor_Workers: variables.number("mysql-monitor_threads_min"),
  };
  return NAMES.map((name) => [name, String(computed[name] ?? statistics.counters.get(name as Counter) ?? 0)]);
}

/** Names of stats_mysql_commands_counters. */
export const COMMANDS: readonly string[] = (
  "ALTER_TABLE ALTER_VIEW ANALYZE_TABLE BEGIN CALL CHANGE_MASTER COMMIT CREATE_DATABASE CREATE_INDEX CREATE_TABLE " +
  "CREATE_TEMPORARY CREATE_TRIGGER CREATE_USER CREATE_VIEW DEALLOCATE DELETE DESCRIBE DROP_DATABASE DROP_INDEX " +
  "DROP_TABLE DROP_TRIGGER DROP_USER DROP_VIEW GRANT EXECUTE EXPLAIN FLUSH INSERT KILL LOAD LOCK_TABLE OPTIMIZE " +
  "PREPARE PURGE RENAME_TABLE RESET_MASTER RESET_SLAVE REPLACE REVOKE ROLLBACK ROLLBACK_SAVEPOINT SAVEPOINT SELECT " +
  "SELECT_FOR_UPDATE SET SHOW_TABLE_STATUS START_TRANSACTION TRUNCATE_TABLE UNLOCK_TABLES UPDATE USE SHOW UNKNOWN"
).split(" ");
