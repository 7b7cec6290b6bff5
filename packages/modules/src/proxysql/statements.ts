import { equalValues, type Sql, sqlId, sqlite, sqlJoin, sqlWords } from "@keybuzz/runner";
import { type Family, type Layers, literal, type Rows } from "./layers.ts";
import type { Row, Table } from "./tables.ts";

/**
 * The statements that lead a family from one state to another: rows in memory, then at most one LOAD and one SAVE.
 *
 * A LOAD makes every Galera node a writer until the next check, so it is sent only where run time or memory is wrong.
 * Run time is never saved over memory: that would write the hostgroups that ProxySQL chose itself into the configuration.
 */
export function familyStatements(family: Family, current: Layers | null, wanted: Layers): readonly Sql[] {
  const edits = family.tables.flatMap((table) =>
    tableStatements(table, current?.memory[table.name] ?? {}, wanted.memory[table.name] ?? {}),
  );
  const load = edits.length > 0 || !equalValues(current?.runtime, wanted.runtime);
  const save = !equalValues(current?.disk, wanted.disk);
  return [
    ...edits,
    ...(load ? [sqlite`LOAD ${sqlWords(family.words)} TO RUNTIME`] : []),
    ...(save ? [sqlite`SAVE ${sqlWords(family.words)} TO DISK`] : []),
  ];
}

/** Rows that have to go leave first: a row that stays may need what is unique in them. */
function tableStatements(table: Table, found: Rows, wanted: Rows): readonly Sql[] {
  const gone = Object.entries(found).filter(([label]) => wanted[label] === undefined);
  const differing = Object.entries(wanted).filter(([label, row]) => !equalValues(found[label], row));
  return [...gone.map(([, row]) => deleteRow(table, row)), ...differing.map(([, row]) => replaceRow(table, row))];
}

function deleteRow(table: Table, row: Row): Sql {
  const match = table.keys.map((key) => sqlite`${sqlId(key)} = ${literal(row[key] ?? "")}`);
  return sqlite`DELETE FROM ${sqlId(table.name)} WHERE ${sqlJoin(match, " AND ")}`;
}

function replaceRow(table: Table, row: Row): Sql {
  const entries = Object.entries({ ...table.columns, ...row });
  const columns = sqlJoin(entries.map(([column]) => sqlId(column)));
  const values = sqlJoin(entries.map(([, value]) => literal(value)));
  return sqlite`REPLACE INTO ${sqlId(table.name)} (${columns}) VALUES (${values})`;
}
