import { ParamsError } from "@keybuzz/runner";

/**
 * Privileges by what they are on, both as SHOW GRANTS writes them: `{ "*.*": ["PROCESS"], "erpnext.*": ["ALL PRIVILEGES"] }`.
 * Lists are sorted; one column privilege is one entry, `SELECT (name)`; `GRANT OPTION` is an entry like the others.
 */
export type Privileges = Readonly<Record<string, readonly string[]>>;

/** What privileges are on. */
export interface Scope {
  /** TABLE stands for servers, databases and tables alike. */
  readonly kind: "TABLE" | "FUNCTION" | "PROCEDURE" | "PACKAGE" | "PACKAGE BODY";
  /** Name, pattern as in GRANT, or `*`. */
  readonly database: string;
  /** Table or routine, or `*`. */
  readonly object: string;
}

const NAME = "(?:`(?:[^`]|``)+`|[^.`\\s]+)";
const SCOPE = new RegExp(`^(?:(FUNCTION|PROCEDURE|PACKAGE BODY|PACKAGE)\\s+)?(${NAME})\\.(${NAME})$`, "i");

/**
 * Reads `db.*`, `*.*`, `db.table`, `FUNCTION db.f`; names may stand in backticks. Patterns stay as they are written.
 * @throws ParamsError for anything else
 */
export function parseScope(text: string): Scope {
  const match = SCOPE.exec(text.trim());
  if (match === null) {
    throw new ParamsError(`privileges cannot be on ${JSON.stringify(text)}`, {
      hint: 'write "*.*", "db.*", "db.table", "FUNCTION db.name" or "PROCEDURE db.name"',
    });
  }
  const kind = (match[1]?.toUpperCase() ?? "TABLE") as Scope["kind"];
  return { kind, database: unquoteName(match[2] ?? ""), object: unquoteName(match[3] ?? "") };
}

function unquoteName(name: string): string {
  return name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name;
}

/** The one way in which a scope is written in states. */
export function renderScope({ kind, database, object }: Scope): string {
  const name = (text: string): string => (/^[^.`\s]+$/.test(text) ? text : `\`${text.replaceAll("`", "``")}\``);
  return `${kind === "TABLE" ? "" : `${kind} `}${name(database)}.${name(object)}`;
}

/**
 * In `GRANT ... ON db.*` the characters `_` and `%` are wildcards: a grant on `my_db.*` covers `my1db` too. A name is taken
 * to mean itself, so its `_` is escaped, unless it holds `%` or a backslash: then it is a pattern as GRANT knows it.
 * @see https://mariadb.com/kb/en/grant/#database-privileges
 */
function literalDatabase(scope: Scope): Scope {
  const { kind, database, object } = scope;
  if (kind !== "TABLE" || object !== "*" || database === "*" || /[%\\]/.test(database)) return scope;
  return { ...scope, database: database.replaceAll("_", "\\_") };
}

/** Newer spellings, as MariaDB takes them, by the one that SHOW GRANTS of 10.11 and 11.8 prints. */
const ALIASES: Readonly<Record<string, string>> = {
  ALL: "ALL PRIVILEGES",
  GRANT: "GRANT OPTION",
  "REPLICATION CLIENT": "BINLOG MONITOR",
  "REPLICA MONITOR": "SLAVE MONITOR",
  "REPLICATION REPLICA": "REPLICATION SLAVE",
  "REPLICATION REPLICA ADMIN": "REPLICATION SLAVE ADMIN",
  "READ ONLY ADMIN": "READ_ONLY ADMIN",
  "DELETE VERSIONING ROWS": "DELETE HISTORY",
};

/** For a routine SHOW GRANTS never says ALL: it names these, and `SHOW CREATE ROUTINE` where the server knows it (11.3). */
const ROUTINE_ALL = ["ALTER ROUTINE", "EXECUTE"];

/** Splits `SELECT (a, b), UPDATE` at its outer commas. */
export function splitPrivileges(text: string): readonly string[] {
  const parts = text.match(/(?:`(?:[^`]|``)*`|\((?:[^()`]|`(?:[^`]|``)*`)*\)|[^,`()])+/g);
  return (parts ?? []).map((part) => part.trim()).filter((part) => part !== "");
}

/** One privilege as SHOW GRANTS writes it; one with columns as several. */
export function normalizePrivilege(text: string): readonly string[] {
  const match = /^([A-Za-z_ ]+?)\s*(?:\((.*)\))?$/s.exec(text.trim());
  const words = match?.[1]?.toUpperCase().replace(/\s+/g, " ");
  if (words === undefined) {
    throw new ParamsError(`${JSON.stringify(text)} is no privilege`, { hint: 'write "SELECT" or "SELECT (a, b)"' });
  }
  const name = ALIASES[words] ?? words;
  if (match?.[2] === undefined) return [name];
  return splitPrivileges(match[2]).map((column) => `${name} (${renderColumn(unquoteName(column))})`);
}

function renderColumn(name: string): string {
  return /^[A-Za-z0-9_$]+$/.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;
}

/** Sorted, without doubles; nothing beside ALL but GRANT OPTION; USAGE, which is no privilege, left out. */
export function normalizeList(privileges: readonly string[]): readonly string[] {
  const all = new Set(privileges.flatMap(normalizePrivilege));
  all.delete("USAGE");
  if (all.has("ALL PRIVILEGES")) {
    return all.has("GRANT OPTION") ? ["ALL PRIVILEGES", "GRANT OPTION"] : ["ALL PRIVILEGES"];
  }
  return [...all].sort();
}

/**
 * Params as SHOW GRANTS would print them; scopes without any privilege are left out. `found` tells what ALL on a routine is
 * called by this server.
 */
export function normalizePrivileges(
  wanted: Readonly<Record<string, readonly string[]>>,
  found: Privileges,
): Privileges {
  const entries = Object.entries(wanted).map(([text, list]): [string, readonly string[]] => {
    const scope = literalDatabase(parseScope(text));
    const key = renderScope(scope);
    const privileges = normalizeList(list);
    if (scope.kind === "TABLE" || !privileges.includes("ALL PRIVILEGES")) return [key, privileges];
    const option = privileges.filter((privilege) => privilege === "GRANT OPTION");
    const has = (found[key] ?? []).filter((privilege) => privilege !== "GRANT OPTION");
    const complete = ROUTINE_ALL.every((privilege) => has.includes(privilege));
    return [key, complete ? [...has, ...option] : privileges];
  });
  return collect(entries);
}

/** Joins entries of one scope; order of scopes is that of their names. */
export function collect(entries: readonly (readonly [string, readonly string[]])[]): Privileges {
  const byScope = new Map<string, readonly string[]>();
  for (const [scope, list] of entries) byScope.set(scope, normalizeList([...(byScope.get(scope) ?? []), ...list]));
  return Object.fromEntries([...byScope].filter(([, list]) => list.length > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}
