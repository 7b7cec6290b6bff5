import { mysqlDb, mysqlQuery, mysqlUser } from "@keybuzz/modules";
import { type Secret, sql, type Task } from "@keybuzz/runner";
import type { GaleraParams, GaleraVars } from "./params.ts";
import { accountHost } from "./settings.ts";

type Login = Parameters<typeof mysqlUser>[0]["login"];

/**
 * The accounts and the database, declared on one member: such statements replicate. A password that differs is set,
 * whoever chose it.
 *
 * root keeps its password, and is let in by unix_socket besides: so root of the host never loses access, and a root
 * password can be rotated.
 */
export function accounts(vars: GaleraVars, { credentials }: GaleraParams, hostname: string): readonly Task[] {
  const login = loginTo(vars, credentials.rootPassword);
  const host = accountHost(vars.private_network);
  return [
    mysqlUser({ login, name: "root", host: "localhost", password: credentials.rootPassword, unix_socket: true }),
    // mariadb-install-db makes them on some systems; they would shadow accounts of any host.
    ...["localhost", hostname].map((from) => mysqlUser({ login, name: "", host: from, state: "absent" })),
    ...(vars.mariadb_version === "10.11" ? [transferAccount(login, credentials.sstPassword)] : []),
    mysqlUser({
      login,
      name: "monitor",
      host,
      password: credentials.monitorPassword,
      privileges: { "*.*": ["REPLICA MONITOR"] },
    }),
    mysqlUser({ login, name: "keybuzz_health", host, password: credentials.healthPassword, privileges: {} }),
    ...proofs(login, host, credentials.verifyPassword),
    mysqlDb({ login, name: credentials.appDatabase, encoding: "utf8mb4", collation: "utf8mb4_unicode_ci" }),
    mysqlUser({
      login,
      name: credentials.appUser,
      host,
      password: credentials.appPassword,
      privileges: { [`${credentials.appDatabase}.*`]: ["ALL"] },
    }),
  ];
}

/** Where the checks of `verify` write on one member and read on the others. */
function proofs(login: Login, host: string, password: Secret): readonly Task[] {
  const db = "keybuzz_verify";
  return [
    mysqlDb({ login, name: db, encoding: "utf8mb4", collation: "utf8mb4_unicode_ci" }),
    mysqlUser({
      login,
      name: "keybuzz_verify",
      host,
      password,
      privileges: { [`${db}.*`]: ["SELECT", "INSERT", "UPDATE", "DELETE"] },
    }),
    mysqlQuery({
      login,
      title: "table of the checks",
      query: sql`CREATE TABLE IF NOT EXISTS keybuzz_verify.proof (
  node VARCHAR(64) NOT NULL PRIMARY KEY, token CHAR(36) NOT NULL, written TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE = InnoDB`,
      unless: sql`SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${db} AND TABLE_NAME = 'proof'`,
    }),
  ];
}

/** root of the host, inside of the container or not. */
export function loginTo(vars: GaleraVars, password: Secret): Login {
  return vars.mariadb_runtime === "docker"
    ? { via: "container", user: "root", password }
    : { via: "socket", user: "root" };
}

/** What mariadb-backup needs on a donor before 11.4. */
function transferAccount(login: Login, password: Secret): Task {
  return mysqlUser({
    login,
    name: "sst",
    host: "localhost",
    password,
    privileges: { "*.*": ["RELOAD", "PROCESS", "LOCK TABLES", "BINLOG MONITOR", "REPLICA MONITOR"] },
  });
}
