import type { Row } from "./databases.ts";

/** One side (frontend or backend) of an active account, as in runtime_mysql_users. */
export interface User {
  readonly username: string;
  readonly password: string;
  readonly side: "frontend" | "backend";
  readonly useSsl: number;
  readonly defaultHostgroup: number;
  readonly defaultSchema: string;
  readonly schemaLocked: number;
  readonly transactionPersistent: number;
  readonly fastForward: number;
  readonly maxConnections: number;
  readonly attributes: string;
  readonly comment: string;
}

function userOf(row: Row, side: User["side"]): User {
  const text = (column: string): string => String(row[column] ?? "");
  const number = (column: string): number => Number(row[column] ?? 0);
  return {
    side,
    username: text("username"),
    password: text("password"),
    useSsl: number("use_ssl"),
    defaultHostgroup: number("default_hostgroup"),
    defaultSchema: text("default_schema"),
    schemaLocked: number("schema_locked"),
    transactionPersistent: number("transaction_persistent"),
    fastForward: number("fast_forward"),
    maxConnections: number("max_connections"),
    attributes: text("attributes"),
    comment: text("comment"),
  };
}

/** The accounts at run time: each active row of mysql_users serves as a frontend, a backend, or both. */
export class Users {
  #frontends = new Map<string, User>();
  #backends = new Map<string, User>();

  /** Takes over the active rows of mysql_users. */
  load(rows: readonly Row[]): void {
    const sideOf = (side: User["side"]): Map<string, User> =>
      new Map(rows.filter((row) => row[side] === 1).map((row) => [String(row["username"]), userOf(row, side)]));
    this.#frontends = sideOf("frontend");
    this.#backends = sideOf("backend");
  }

  /** The account that clients log in with. */
  frontend(username: string): User | undefined {
    return this.#frontends.get(username);
  }

  /** The account that connections to servers are opened with. */
  backend(username: string): User | undefined {
    return this.#backends.get(username);
  }

  /** All frontends, ordered by name. */
  frontends(): User[] {
    return [...this.#frontends.values()].sort((left, right) => (left.username < right.username ? -1 : 1));
  }

  /** All backends, in no particular order. */
  backends(): User[] {
    return [...this.#backends.values()];
  }

  /** Rows of runtime_mysql_users, in that table's column order. */
  rows(): (string | number)[][] {
    return [...this.#frontends.values(), ...this.#backends.values()].map((user) => [
      user.username,
      user.password,
      1,
      user.useSsl,
      user.defaultHostgroup,
      user.defaultSchema,
      user.schemaLocked,
      user.transactionPersistent,
      user.fastForward,
      user.side === "backend" ? 1 : 0,
      user.side === "frontend" ? 1 : 0,
      user.maxConnections,
      user.attributes,
      user.comment,
    ]);
  }
}
