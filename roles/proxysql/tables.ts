import type { ProxysqlParams } from "./params.ts";

/** Numbers that operators know by heart; the lowest is where everything starts. */
export const HOSTGROUPS = { writer: 10, backupWriter: 20, reader: 30, offline: 9999 } as const;

/**
 * Every node is declared in the writers' hostgroup; the monitor moves them. Weights differ: with equal ones the highest
 * address would become the writer (facts: choice of the writer).
 */
export function serverRows({ nodes, serverConnections }: ProxysqlParams) {
  return nodes.map(({ name, address }, index) => ({
    hostgroup_id: HOSTGROUPS.writer,
    hostname: address,
    port: 3306,
    weight: Math.max(1, 1000 >> index),
    max_connections: serverConnections,
    comment: name,
  }));
}

/** One writer; the others read. `writer_is_also_reader: 2` keeps backup writers among the readers. */
export function galeraHostgroups() {
  return [
    {
      writer_hostgroup: HOSTGROUPS.writer,
      backup_writer_hostgroup: HOSTGROUPS.backupWriter,
      reader_hostgroup: HOSTGROUPS.reader,
      offline_hostgroup: HOSTGROUPS.offline,
      max_writers: 1,
      writer_is_also_reader: 2 as const,
      max_transactions_behind: 100,
      comment: "KeyBuzz Galera",
    },
  ];
}

/** All of ERPNext's queries go to the writer: Frappe reads and writes in one session and counts on its own writes. */
export function userRows({ credentials, healthUser, verifyUser, readerUser, clientConnections }: ProxysqlParams) {
  const writers = [
    { username: credentials.appUser, password: credentials.appPassword, comment: "ERPNext" },
    { username: healthUser, password: credentials.healthPassword, comment: "health agent" },
    { username: verifyUser, password: credentials.verifyPassword, comment: "checks of verify" },
  ].map((user) => ({ ...user, default_hostgroup: HOSTGROUPS.writer, max_connections: clientConnections }));
  const readers =
    readerUser === undefined
      ? []
      : [
          {
            username: readerUser.name,
            password: readerUser.password,
            default_hostgroup: HOSTGROUPS.reader,
            max_connections: clientConnections,
            comment: "reports and backups, read from the readers",
          },
        ];
  return [...writers, ...readers];
}

/**
 * The set of monitor intervals that was measured fastest to move the writer: see facts on fail-over. Times are in
 * milliseconds unless the name says otherwise.
 */
export function variables({ credentials, monitorUser, serverVersion, clientConnections }: ProxysqlParams) {
  return {
    "mysql-monitor_username": monitorUser,
    "mysql-monitor_password": credentials.monitorPassword,
    "mysql-monitor_galera_healthcheck_interval": 500,
    "mysql-monitor_galera_healthcheck_timeout": 500,
    "mysql-monitor_galera_healthcheck_max_timeout_count": 2,
    "mysql-monitor_ping_interval": 500,
    "mysql-monitor_ping_timeout": 500,
    "mysql-monitor_ping_max_failures": 2,
    // A wrong monitor password shows here alone while old connections last: look often.
    "mysql-monitor_connect_interval": 10_000,
    "mysql-connect_timeout_server": 1000,
    "mysql-connect_timeout_server_max": 5000,
    "mysql-shun_recovery_time_sec": 2,
    "mysql-server_version": serverVersion,
    "mysql-max_connections": clientConnections,
    "mysql-max_allowed_packet": 268_435_456,
    // The load balancer's checks open and close connections; each would be a line in the log.
    "mysql-log_unhealthy_connections": false,
  };
}
