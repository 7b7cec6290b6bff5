import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { type Cell, ok, type Reply } from "./wire/replies.ts";

/** Makes the ERR reply that the admin port gives to everything that is wrong with a statement. */
export function adminError(message: string): Reply {
  return { kind: "error", error: { code: 1045, state: "28000", message: `ProxySQL Admin Error: ${message}` } };
}

function cellOf(value: SQLOutputValue): Cell {
  if (value === null) return null;
  return value instanceof Uint8Array ? Buffer.from(value) : String(value);
}

/** Words of node:sqlite for what SQLite itself says differently. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text === "The SQL query contains no statements.") return "not an error";
  return text.replace(/^not authorized to use function: /, "no such function: ");
}

/** Runs the first statement of a text and answers as the admin port does: every value is text. */
export function runSql(database: DatabaseSync, sql: string): Reply {
  try {
    const statement = database.prepare(sql);
    const columns = statement.columns().map((column) => String(column.name));
    if (columns.length === 0) return ok(Number(statement.run().changes));
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    const rows = statement.all() as unknown as SQLOutputValue[][];
    return { kind: "rows", columns, rows: rows.map((row) => row.map(cellOf)) };
  } catch (error) {
    return adminError(messageOf(error));
  }
}
