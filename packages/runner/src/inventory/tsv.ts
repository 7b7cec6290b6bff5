import { InventoryError } from "../errors.ts";
import { InventoryBuilder } from "./builder.ts";
import { plainValue } from "./data.ts";
import { type Inventory, renderSource, type Source, suggest } from "./inventory.ts";
import { readText, shown } from "./read-text.ts";

/** One row of the file, by the names in its header. */
export type TsvRow = Readonly<Record<string, string>>;

/** How the columns of a tab-separated server list become hosts, groups and vars. */
export interface TsvMapping {
  /** Columns that must be there. */
  readonly columns: readonly string[];
  /** Column of the host's name. */
  readonly name: string;
  /** Vars of the host, `ansible_host` among them. */
  vars(row: TsvRow): Readonly<Record<string, string | number | boolean>>;
  /** Groups of the host; none leaves the row out of the inventory. */
  groups(row: TsvRow): readonly string[];
  /** Vars of whole groups, that the file has no columns for. */
  readonly groupVars?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/**
 * Reads a tab-separated server list: a header line, one host a line, `#` comments and empty lines allowed.
 * @throws InventoryError with file, line and column
 */
export async function readTsvInventory(file: string, mapping: TsvMapping): Promise<Inventory> {
  return parseTsvInventory(shown(file), await readText(file), mapping);
}

/** {@link readTsvInventory} of a text. */
export function parseTsvInventory(file: string, text: string, mapping: TsvMapping): Inventory {
  const builder = new InventoryBuilder(file);
  addTsv(file, text, mapping, builder);
  return builder.build();
}

/** Adds what a tab-separated list declares. @throws InventoryError with file, line and column */
export function addTsv(file: string, text: string, mapping: TsvMapping, builder: InventoryBuilder): void {
  const listed = new Set<string>();
  let header: readonly string[] | undefined;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (raw.trim() === "" || raw.startsWith("#")) continue;
    const source = { file, line: index + 1, column: 1 };
    const cells = raw.split("\t").map((cell) => cell.trim());
    if (header === undefined) header = readHeader(cells, mapping, source);
    else addRow(builder, toRow(header, cells, source), mapping, source, listed);
  }
  if (header === undefined)
    throw new InventoryError(`${file}: the file is empty`, { hint: mapping.columns.join("\t") });
  for (const [group, vars] of Object.entries(mapping.groupVars ?? {})) {
    const source = { file, line: 0, column: 0 };
    builder.group(group, source, undefined);
    for (const [name, value] of Object.entries(vars)) builder.groupVar(group, name, plainValue(value, source));
  }
}

function readHeader(cells: readonly string[], mapping: TsvMapping, source: Source): readonly string[] {
  for (const column of mapping.columns) {
    if (cells.includes(column)) continue;
    throw new InventoryError(`${renderSource(source)}: the header has no column ${column}`, {
      hint: suggest(column, cells),
    });
  }
  return cells;
}

function toRow(header: readonly string[], cells: readonly string[], source: Source): TsvRow {
  if (cells.length > header.length) {
    throw new InventoryError(`${renderSource(source)}: ${cells.length} cells, but the header names ${header.length}`, {
      hint: "cells are separated by one tab each",
    });
  }
  return Object.fromEntries(header.map((column, index) => [column, cells[index] ?? ""]));
}

function addRow(
  builder: InventoryBuilder,
  row: TsvRow,
  mapping: TsvMapping,
  source: Source,
  listed: Set<string>,
): void {
  const groups = mapping.groups(row);
  if (groups.length === 0) return;
  const name = row[mapping.name] ?? "";
  if (name === "") throw new InventoryError(`${renderSource(source)}: ${mapping.name} is empty`);
  if (listed.has(name)) throw new InventoryError(`${renderSource(source)}: ${name} is listed twice`);
  listed.add(name);
  for (const group of groups) {
    builder.group(group, source, undefined);
    builder.host(name, source, group);
  }
  for (const [key, value] of Object.entries(mapping.vars(row))) builder.hostVar(name, key, plainValue(value, source));
}
