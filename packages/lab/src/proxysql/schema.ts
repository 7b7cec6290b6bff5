import { readFileSync } from "node:fs";

/** The databases that ProxySQL's admin port shows. */
export const DATABASES = ["main", "disk", "stats", "monitor", "stats_history"] as const;
/** Name of one of the databases of the admin port. */
export type DatabaseName = (typeof DATABASES)[number];

/** A table: its name and its CREATE TABLE text, as recorded from the real server. */
export interface Table {
  readonly name: string;
  readonly ddl: string;
}

/** A default of one variable: its full name (`mysql-threads`) and value. */
export type VariableDefault = readonly [name: string, value: string];

/** Created before the others: `SELECT name FROM disk.sqlite_master` shows the order. */
const FIRST_ON_DISK = "mysql_servers";

function readDataFile(name: string): string {
  return readFileSync(new URL(`data/${name}`, import.meta.url), "utf8");
}

function createStatements(text: string): Table[] {
  return [...text.matchAll(/^CREATE TABLE (\w+) [\s\S]*?(?=;?\n(?:\n|CREATE|#|--|$(?![\s\S])))/gm)].map(
    ([ddl, name]) => ({ name: name ?? "", ddl }),
  );
}

/** The section of the recording that is about one database. */
function sectionOf(recording: string, database: DatabaseName): string {
  const start = recording.indexOf(`########## DATABASE ${database}\n`);
  const end = recording.indexOf("########## DATABASE ", start + 1);
  return recording.slice(start, end === -1 ? undefined : end);
}

function tableNames(section: string): string[] {
  const list = /# SHOW TABLES FROM \w+:\n([\s\S]*?)\n\n/.exec(section)?.[1] ?? "";
  return list.split("\n");
}

function tablesOf(recording: string, unrecorded: ReadonlyMap<string, string>, database: DatabaseName): Table[] {
  const section = sectionOf(recording, database);
  const recorded = new Map(createStatements(section).map((table) => [table.name, table.ddl]));
  const tables = tableNames(section).map((name) => {
    const base = name.replace(/^runtime_/, "");
    const ddl = recorded.get(name) ?? unrecorded.get(base)?.replace(base, name);
    if (ddl === undefined) throw new Error(`schema: no CREATE TABLE text for ${database}.${name}`);
    return { name, ddl };
  });
  const isFirst = (table: Table): boolean => table.name === FIRST_ON_DISK;
  return [...tables.filter(isFirst), ...tables.filter((table) => !isFirst(table))];
}

/**
 * Reads the tables of all five databases, in the order in which they are created.
 *
 * The texts are those that ProxySQL 2.7.1 answers to SHOW CREATE TABLE.
 */
export function readSchema(): Readonly<Record<DatabaseName, readonly Table[]>> {
  const recording = readDataFile("proxysql-2.7-schema.txt");
  const extra = createStatements(readDataFile("proxysql-2.7-schema-unrecorded.sql"));
  const unrecorded = new Map(extra.map((table) => [table.name, table.ddl]));
  const of = (database: DatabaseName): Table[] => tablesOf(recording, unrecorded, database);
  return {
    main: of("main"),
    disk: of("disk"),
    stats: of("stats"),
    monitor: of("monitor"),
    stats_history: of("stats_history"),
  };
}

/** Reads the defaults of all 212 variables of a fresh datadir, sorted by name. */
export function readVariableDefaults(): VariableDefault[] {
  return readDataFile("proxysql-2.7-variables.txt")
    .split("\n")
    .filter((line) => line.includes("\t"))
    .map((line) => {
      const [name = "", value = ""] = line.split("\t");
      return [name, value] as const;
    });
}
