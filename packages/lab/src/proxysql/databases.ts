import { join } from "node:path";
import { constants, DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { type DatabaseName, readSchema, readVariableDefaults, type Table } from "./schema.ts";
import { cachingSha2Hash } from "./sha256-crypt.ts";
import { nativeHash } from "./wire/native-password.ts";

/** A row by column name. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** Functions of SQLite that are younger than the SQLite inside ProxySQL 2.7.1. */
const TOO_NEW_FUNCTION = /^(concat|concat_ws|string_agg)$/i;
const STATS_READABLE_VARIABLE = "mysql-max_allowed_packet";

let instances = 0;

/** Three connections to one set of databases; the in-memory ones are shared between them. */
export interface Databases {
  /** Runs the statements of administrators. */
  readonly admin: DatabaseSync;
  /** Runs the statements of the `stats` accounts: main is the stats database. */
  readonly stats: DatabaseSync;
  /** Runs the server's own statements: neither PROXYSQL READONLY nor changes() of the others is touched by it. */
  readonly internal: DatabaseSync;
  close(): void;
}

/** Path of the disk database in a datadir. */
export function diskPath(datadir: string): string {
  return join(datadir, "proxysql.db");
}

function createTables(database: DatabaseSync, schema: DatabaseName, tables: readonly Table[]): void {
  for (const table of tables) {
    database.exec(table.ddl.replace("CREATE TABLE ", `CREATE TABLE IF NOT EXISTS ${schema}.`));
  }
}

function defineFunctions(database: DatabaseSync): void {
  const text = (value: SQLOutputValue | undefined): string => String(value ?? "");
  database.function("MYSQL_NATIVE_PASSWORD", { deterministic: true }, (password) => nativeHash(text(password)));
  database.function("CACHING_SHA2_PASSWORD", { varargs: true }, (password, salt) =>
    salt === undefined ? cachingSha2Hash(text(password)) : cachingSha2Hash(text(password), text(salt)),
  );
  database.function("CONNECTION_ID", () => 0);
  database.function("DATABASE", () => "admin");
  database.setAuthorizer((action, _table, name) =>
    action === constants.SQLITE_FUNCTION && TOO_NEW_FUNCTION.test(name ?? "")
      ? constants.SQLITE_DENY
      : constants.SQLITE_OK,
  );
}

function memory(name: string, instance: number): string {
  return `file:proxysql-${process.pid}-${instance}-${name}?mode=memory&cache=shared`;
}

/**
 * Opens the databases, makes missing tables, and fills the defaults of the memory layer.
 *
 * @param datadir holds `proxysql.db` (the disk layer) and `proxysql_stats.db`.
 */
export function openDatabases(datadir: string): Databases {
  instances += 1;
  const instance = instances;
  const schema = readSchema();
  const open = (main: string): DatabaseSync =>
    new DatabaseSync(memory(main, instance), { enableDoubleQuotedStringLiterals: true });
  const attach = (database: DatabaseSync, path: string, as: DatabaseName): void =>
    database.prepare(`ATTACH DATABASE ? AS ${as}`).run(path) && undefined;

  const internal = open("main");
  const admin = open("main");
  const stats = open("stats");
  for (const database of [internal, admin]) {
    attach(database, diskPath(datadir), "disk");
    attach(database, memory("stats", instance), "stats");
    attach(database, memory("monitor", instance), "monitor");
    attach(database, join(datadir, "proxysql_stats.db"), "stats_history");
    database.exec("PRAGMA disk.synchronous=NORMAL; PRAGMA stats_history.synchronous=OFF");
  }
  attach(stats, memory("monitor", instance), "monitor");
  for (const [name, tables] of Object.entries(schema)) createTables(internal, name as DatabaseName, tables);
  for (const database of [admin, stats]) defineFunctions(database);

  const insert = internal.prepare("INSERT OR IGNORE INTO main.global_variables VALUES (?, ?)");
  for (const [name, value] of readVariableDefaults()) insert.run(name, value);
  internal
    .prepare("INSERT INTO stats.global_variables SELECT * FROM main.global_variables WHERE variable_name = ?")
    .run(STATS_READABLE_VARIABLE);
  return {
    admin,
    stats,
    internal,
    close: () => {
      for (const database of [stats, admin, internal]) database.close();
    },
  };
}

/** Runs statements as one transaction: all or nothing. */
export function transaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** Replaces the whole content of a table; columns are in the table's order. */
export function replaceRows(
  database: DatabaseSync,
  table: string,
  rows: Iterable<readonly (string | number | bigint | Uint8Array | null)[]>,
): void {
  transaction(database, () => {
    database.exec(`DELETE FROM ${table}`);
    insertRows(database, table, rows);
  });
}

/** Inserts rows, replacing those with the same key; columns are in the table's order. */
export function insertRows(
  database: DatabaseSync,
  table: string,
  rows: Iterable<readonly (string | number | bigint | Uint8Array | null)[]>,
): void {
  for (const row of rows) {
    const holes = row.map(() => "?").join(",");
    database.prepare(`INSERT OR REPLACE INTO ${table} VALUES (${holes})`).run(...row);
  }
}

/** All rows of a query, by column name. */
export function select(database: DatabaseSync, sql: string, ...params: (string | number | null)[]): Row[] {
  return database.prepare(sql).all(...params);
}
