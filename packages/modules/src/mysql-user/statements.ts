import { type Sql, sql, sqlId, sqlJoin, sqlWords } from "@keybuzz/runner";
import type { Authentication, Limits, TlsRequirement, UserState } from "./account.ts";
import { type Privileges, parseScope } from "./privileges.ts";

/** `'user'@'host'` as account names are written in SQL. */
export function accountName(name: string, host: string): Sql {
  return sql`${name}@${host}`;
}

/**
 * The statements that lead from one state of an account to another. All are DDL: Galera replicates them, while it does not
 * replicate changes of the tables of `mysql` themselves.
 * @see https://mariadb.com/kb/en/create-user/
 */
export function userStatements(account: Sql, current: UserState | null, wanted: UserState | null): readonly Sql[] {
  if (wanted === null) return [sql`DROP USER IF EXISTS ${account}`];
  const changed = {
    auth: current === null || !same(current.auth, wanted.auth, sameAuth),
    tls: JSON.stringify(current?.tls ?? "NONE") !== JSON.stringify(wanted.tls),
    limits: JSON.stringify(current?.limits) !== JSON.stringify(wanted.limits),
  };
  const clauses = [
    ...(changed.auth ? [sql`IDENTIFIED VIA ${sqlJoin(wanted.auth.map(renderAuth), " OR ")}`] : []),
    ...(changed.tls ? [renderTls(wanted.tls)] : []),
    ...(changed.limits ? [renderLimits(wanted.limits)] : []),
  ];
  const verb = current === null ? sql`CREATE USER` : sql`ALTER USER`;
  const alter = clauses.length === 0 ? [] : [sqlJoin([verb, account, ...clauses], " ")];
  return [...alter, ...privilegeStatements(account, current?.privileges ?? {}, wanted.privileges)];
}

function same<T>(a: readonly T[], b: readonly T[], equal: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((item, index) => equal(item, b[index] as T));
}

function sameAuth(a: Authentication, b: Authentication): boolean {
  if (a.plugin !== b.plugin) return false;
  return a.hash === null || b.hash === null ? a.hash === b.hash : a.hash.equals(b.hash);
}

function renderAuth({ plugin, hash }: Authentication): Sql {
  return hash === null ? sqlId(plugin) : sql`${sqlId(plugin)} USING ${hash}`;
}

function renderTls(tls: TlsRequirement): Sql {
  if (typeof tls === "string") return sql`REQUIRE ${sqlWords(tls)}`;
  const parts = Object.entries(tls).map(([part, value]) => sql`${sqlWords(part.toUpperCase())} ${value}`);
  return sql`REQUIRE ${sqlJoin(parts, " AND ")}`;
}

function renderLimits(limits: Limits): Sql {
  const parts = Object.entries(limits).map(([name, value]) => sql`${sqlWords(name.toUpperCase())} ${value}`);
  return sql`WITH ${sqlJoin(parts, " ")}`;
}

/** Grants come before revokes, so that an application never lacks what it is to keep. */
function privilegeStatements(account: Sql, current: Privileges, wanted: Privileges): readonly Sql[] {
  const scopes = [...new Set([...Object.keys(wanted), ...Object.keys(current)])];
  const changes = scopes.map((scope) => scopeStatements(account, scope, current[scope] ?? [], wanted[scope] ?? []));
  return [...changes.flatMap(({ grants }) => grants), ...changes.flatMap(({ revokes }) => revokes)];
}

function scopeStatements(
  account: Sql,
  key: string,
  current: readonly string[],
  wanted: readonly string[],
): { grants: readonly Sql[]; revokes: readonly Sql[] } {
  const scope = renderOn(key);
  const missing = wanted.filter((privilege) => !current.includes(privilege));
  const surplus = current.filter((privilege) => !wanted.includes(privilege));
  const covered = wanted.includes("ALL PRIVILEGES");
  // What ALL covers need not be taken away one by one. A part of ALL cannot be: it goes as a whole, and what is to stay is
  // given again, in the same session.
  const shrinks = surplus.includes("ALL PRIVILEGES");
  const revoked = covered ? surplus.filter((privilege) => privilege === "GRANT OPTION") : surplus;
  const revokes = revokeStatements(account, scope, revoked);
  const grants = grantStatements(account, scope, missing);
  return shrinks ? { grants: [...revokes, ...grants], revokes: [] } : { grants, revokes };
}

/** ALL and GRANT OPTION together would be the statement that takes everything everywhere; it has no ON. */
function revokeStatements(account: Sql, scope: Sql, surplus: readonly string[]): readonly Sql[] {
  const privileges = surplus.filter((privilege) => privilege !== "GRANT OPTION");
  return [
    ...(privileges.length === 0 ? [] : [sql`REVOKE ${list(privileges)} ON ${scope} FROM ${account}`]),
    ...(surplus.length > privileges.length ? [sql`REVOKE GRANT OPTION ON ${scope} FROM ${account}`] : []),
  ];
}

function grantStatements(account: Sql, scope: Sql, missing: readonly string[]): readonly Sql[] {
  if (missing.length === 0) return [];
  const privileges = missing.filter((privilege) => privilege !== "GRANT OPTION");
  const what = privileges.length > 0 ? list(privileges) : sql`USAGE`;
  const option = missing.includes("GRANT OPTION") ? sql` WITH GRANT OPTION` : sql``;
  return [sql`GRANT ${what} ON ${scope} TO ${account}${option}`];
}

function list(privileges: readonly string[]): Sql {
  return sqlJoin(privileges.map(renderPrivilege));
}

function renderPrivilege(privilege: string): Sql {
  const match = /^([A-Z_ ]+?)(?: \((.*)\))?$/s.exec(privilege);
  const name = sqlWords(match?.[1] ?? privilege);
  if (match?.[2] === undefined) return name;
  const column = match[2].startsWith("`") ? match[2].slice(1, -1).replaceAll("``", "`") : match[2];
  return sql`${name} (${sqlId(column)})`;
}

function renderOn(key: string): Sql {
  const { kind, database, object } = parseScope(key);
  const name = (text: string): Sql => (text === "*" ? sql`*` : sqlId(text));
  const target = sql`${name(database)}.${name(object)}`;
  return kind === "TABLE" ? target : sql`${sqlWords(kind)} ${target}`;
}
