import { type Output, Secret, type Sql, sqlId, sqlite, sqlJoin, sqlWords, Unmet } from "@keybuzz/runner";
import type { SqlServer } from "../probes/sql-login.ts";
import { readRows } from "../probes/sql-session.ts";
import type { Row, Table } from "./tables.ts";

/** Rows by label; of each row its keys and what differs from the server's defaults. */
export type Rows = { readonly [label: string]: Row };

/** Tables by name. */
export type Layer = { readonly [table: string]: Rows };

/**
 * The three layers of a family of tables. `runtime` holds what the server has to make of the rows in memory, so that it
 * can be compared: see {@link Family.expectedRuntime}.
 */
export type Layers = { readonly memory: Layer; readonly runtime: Layer; readonly disk: Layer };

/** Full rows of each table of a family. */
export type Content = ReadonlyMap<Table, readonly Row[]>;

/**
 * Tables that one LOAD and one SAVE move together.
 * @see https://proxysql.com/documentation/configuring-proxysql/#moving-configuration-between-layers
 */
export interface Family {
  /** As in `LOAD MYSQL USERS TO RUNTIME`. */
  readonly words: string;
  readonly tables: readonly Table[];
  /** What run time shows for these rows in memory. */
  expectedRuntime(memory: Content): Layer;
  /** What run time shows, in the same form; `memory` tells which hostgroups the server moves nodes among. */
  foundRuntime(runtime: Content, memory: Content): Layer;
}

/** A literal. The client takes a backslash for an escape, which SQLite does not: so none stands before a quote. */
export function literal(value: string | null | Secret): Sql {
  if (value === null) return sqlite`NULL`;
  const hidden = value instanceof Secret;
  const parts = (hidden ? value.reveal() : value).split("\\");
  const texts = parts.map((part) => (hidden ? sqlite`${new Secret(part)}` : sqlite`${part}`));
  return sqlJoin(texts, "||char(92)||");
}

const LAYERS = ["memory", "runtime", "disk"] as const;

/** One question for all layers of a family. NULL and the text `NULL` look alike to the client: hence the first letter. */
export function layersQuestion(family: Family): Sql {
  const selects = family.tables.flatMap((table) =>
    LAYERS.map((layer) => {
      const columns = Object.keys(table.columns).map((column) => sqlite`IFNULL('='||${sqlId(column)},'-')`);
      const order = sqlJoin(table.keys.map(sqlId));
      return sqlite`SELECT ${layer}, ${table.name}, ${sqlJoin(columns)} FROM ${place(layer, table)} ORDER BY ${order}`;
    }),
  );
  return sqlJoin(selects, ";\n");
}

function place(layer: (typeof LAYERS)[number], { name }: Table): Sql {
  if (layer === "runtime") return sqlWords(`runtime_${name}`);
  return sqlite`${sqlWords(layer === "memory" ? "main" : "disk")}.${sqlWords(name)}`;
}

/** The full rows of the three layers. */
export interface Reading {
  readonly memory: Content;
  readonly runtime: Content;
  readonly disk: Content;
}

/** Reads the answer to {@link layersQuestion}. */
export function readLayers(server: SqlServer, family: Family, output: Output): Reading | Unmet {
  const rows = readRows(server, output);
  if (rows instanceof Unmet) return rows;
  const content = (layer: string): Content =>
    new Map(
      family.tables.map((table) => [
        table,
        rows.filter((row) => row[0] === layer && row[1] === table.name).map((row) => readRow(table, row.slice(2))),
      ]),
    );
  return { memory: content("memory"), runtime: content("runtime"), disk: content("disk") };
}

function readRow(table: Table, fields: readonly string[]): Row {
  const names = Object.keys(table.columns);
  if (fields.length !== names.length)
    throw new Error(`a row of ${table.name} has ${fields.length} columns, not ${names.length}`);
  return Object.fromEntries(
    names.map((name, index) => {
      const field = fields[index] ?? "-";
      const value = field === "-" ? null : field.slice(1);
      return [name, value !== null && table.secrets?.includes(name) === true ? new Secret(value) : value];
    }),
  );
}

/** Rows as states show them. */
export function showRows(table: Table, rows: readonly Row[]): Rows {
  return Object.fromEntries(rows.map((row) => [table.label(row), compact(table, row)]));
}

function compact(table: Table, row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).filter(([column, value]) => table.keys.includes(column) || value !== table.columns[column]),
  );
}

function expand(table: Table, row: Row): Row {
  return { ...table.columns, ...row };
}

/** The state of a family from what was read. */
export function showLayers(family: Family, { memory, runtime, disk }: Reading): Layers {
  const show = (content: Content): Layer =>
    Object.fromEntries(family.tables.map((table) => [table.name, showRows(table, content.get(table) ?? [])]));
  return { memory: show(memory), runtime: family.foundRuntime(runtime, memory), disk: show(disk) };
}

/** The layers as they are to be: the same rows everywhere. */
export function desiredLayers(
  family: Family,
  wanted: ReadonlyMap<Table, readonly Row[]>,
  current: Layers | null,
  unmanaged: "keep" | "remove",
): Layers {
  const tables = family.tables.map((table): readonly [Table, Rows] => {
    const declared = wanted.get(table);
    const found = current?.memory[table.name] ?? {};
    if (declared === undefined) return [table, found];
    const kept = unmanaged === "keep" ? othersThan(table, declared, found) : {};
    return [table, { ...kept, ...showRows(table, declared) }];
  });
  const memory = Object.fromEntries(tables.map(([table, rows]) => [table.name, rows]));
  const content = new Map(
    tables.map(([table, rows]) => [table, Object.values(rows).map((row) => expand(table, row))] as const),
  );
  return { memory, runtime: family.expectedRuntime(content), disk: memory };
}

function othersThan(table: Table, declared: readonly Row[], found: Rows): Rows {
  const subject = (row: Row): string => table.subject?.(row) ?? table.label(row);
  const mine = new Set(declared.map(subject));
  return Object.fromEntries(Object.entries(found).filter(([, row]) => !mine.has(subject(row))));
}

/** Rows at run time, where NULL and the empty text are not told apart: run time shows NULL of memory as empty. */
export function showRuntime(table: Table, rows: readonly Row[]): Rows {
  const isEmpty = (value: Row[string] | undefined): boolean => value instanceof Secret && value.reveal() === "";
  const blank = (row: Row): Row =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, isEmpty(value) ? "" : (value ?? "")]));
  const defaults: Table = { ...table, columns: blank(table.columns) };
  return showRows(defaults, rows.map(blank));
}
