import { askBatch, defineModule, equalValues, secretParam, sql, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { nativePasswordHash } from "../probes/native-password.ts";
import { mariadbLogin, mariadbServer } from "../probes/sql-login.ts";
import { readRows, runSql, sqlBatch } from "../probes/sql-session.ts";
import {
  type Authentication,
  type Limits,
  NO_LIMITS,
  parseGlobalPriv,
  type TlsRequirement,
  type UserState,
} from "./account.ts";
import { collect, normalizePrivileges, type Privileges } from "./privileges.ts";
import { parseShowGrants } from "./show-grants.ts";
import { accountName, userStatements } from "./statements.ts";

const limit = z.number().min(0).optional();

const params = z
  .strictObject({
    login: mariadbLogin,
    name: z.string().describe("user name; empty for the anonymous user"),
    host: z.string().toLowerCase().default("localhost").describe('where it may connect from: "localhost", "10.0.0.%"'),
    password: secretParam().optional().describe("clear text; compared and sent as the hash of mysql_native_password"),
    plugin: z
      .strictObject({ name: z.string().min(1), hash: secretParam().optional() })
      .optional()
      .describe("authentication plugin with the string that it stores, in place of `password`"),
    unix_socket: z
      .boolean()
      .optional()
      .describe("also let the operating system's user of this name in, through the socket; as found unless given"),
    update_password: z
      .enum(["always", "on_create"])
      .default("always")
      .describe("on_create: leave the password of an existing account alone"),
    privileges: z
      .record(z.string(), z.array(z.string()))
      .optional()
      .describe(
        'all privileges, by what they are on: { "*.*": ["PROCESS"], "erpnext.*": ["ALL"] }; as found unless given',
      ),
    append_privs: z.boolean().default(false).describe("only add `privileges` to what the account has"),
    tls_requires: z
      .union([
        z.enum(["NONE", "SSL", "X509"]),
        z.strictObject({
          cipher: z.string().optional(),
          issuer: z.string().optional(),
          subject: z.string().optional(),
        }),
      ])
      .optional()
      .describe("TLS that a connection must have; as found unless given"),
    resource_limits: z
      .strictObject({
        max_queries_per_hour: limit,
        max_updates_per_hour: limit,
        max_connections_per_hour: limit,
        max_user_connections: limit,
        max_statement_time: limit,
      })
      .optional()
      .describe("0 is unlimited; max_statement_time in seconds; those left out stay as found"),
    state: z.enum(["present", "absent"]).default("present").describe("whether the account exists"),
  })
  .refine(({ password, plugin }) => password === undefined || plugin === undefined, "give password or plugin, not both")
  .refine(({ password }) => password?.reveal() !== "", "password is empty: it would let anybody in");

type Params = z.output<typeof params>;

/**
 * An account of a MariaDB server: ways to log in, TLS, limits, privileges.
 *
 * Whoever may read it must be able to read `mysql.global_priv`. Roles and PROXY grants stay as found.
 * @see https://mariadb.com/kb/en/account-management-sql-commands/
 */
export const mysqlUser = defineModule({
  name: "mysql_user",
  summary: "An account of a MariaDB server with its password, TLS needs, limits and privileges",
  params,
  id: ({ name, host }) => `${name === "" ? "''" : name}@${host}`,
  probe({ login, name, host }) {
    const server = mariadbServer(login);
    // SHOW GRANTS for a missing account is an error, so it is asked only where there is one.
    const question = sql`SELECT JSON_COMPACT(Priv) FROM mysql.global_priv WHERE User = ${name} AND Host = ${host};
SET @kb = (SELECT CONCAT('SHOW GRANTS FOR ', QUOTE(User), '@', QUOTE(Host)) FROM mysql.global_priv WHERE User = ${name} AND Host = ${host});
EXECUTE IMMEDIATE IFNULL(@kb, 'DO 0')`;
    return askBatch(sqlBatch(server), question.toString(), (output): UserState | null | Unmet => {
      const rows = readRows(server, output);
      if (rows instanceof Unmet) return rows;
      const [account, ...grants] = rows.map((row) => row[0] ?? "");
      if (account === undefined) return null;
      return { ...parseGlobalPriv(account), privileges: parseShowGrants(grants) };
    });
  },
  desired(params, current): UserState | null {
    if (params.state === "absent") return null;
    return {
      auth: desiredAuth(params, current?.auth),
      tls: desiredTls(params.tls_requires, current?.tls ?? "NONE"),
      limits: desiredLimits(params.resource_limits, current?.limits ?? NO_LIMITS),
      privileges: desiredPrivileges(params, current?.privileges ?? {}),
    };
  },
  plan({ params: { login, name, host }, current, wanted }) {
    return [runSql(mariadbServer(login), userStatements(accountName(name, host), current, wanted))];
  },
});

/**
 * A new password takes the place of every other password, whatever its plugin, or the old one would stay good.
 * unix_socket is none, and stays.
 */
function desiredAuth(params: Params, current: readonly Authentication[] | undefined): readonly Authentication[] {
  const given = params.update_password === "on_create" && current !== undefined ? undefined : givenAuth(params);
  const found = current ?? [];
  const sockets = found.filter(({ plugin }) => plugin === "unix_socket");
  const rest = given === undefined ? found.filter(({ plugin }) => plugin !== "unix_socket") : [given];
  const socket =
    params.unix_socket === true && sockets.length === 0 ? [{ plugin: "unix_socket", hash: null }] : sockets;
  const kept = params.unix_socket === false ? [] : socket.filter(() => given?.plugin !== "unix_socket");
  const auth = found[0]?.plugin === "unix_socket" ? [...kept, ...rest] : [...rest, ...kept];
  if (auth.length > 0) return sameSet(auth, found) ? found : auth;
  throw new Error("the account is to be made, and nothing says how it logs in: give password, plugin or unix_socket");
}

function givenAuth({ password, plugin }: Params): Authentication | undefined {
  if (password !== undefined) return { plugin: "mysql_native_password", hash: nativePasswordHash(password) };
  return plugin === undefined ? undefined : { plugin: plugin.name, hash: plugin.hash ?? null };
}

function sameSet(a: readonly Authentication[], b: readonly Authentication[]): boolean {
  return a.length === b.length && a.every((item) => b.some((other) => equalValues(item, other)));
}

function desiredTls(wanted: Params["tls_requires"], found: TlsRequirement): TlsRequirement {
  if (wanted === undefined) return found;
  if (typeof wanted === "string") return wanted;
  return Object.fromEntries(
    Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function desiredLimits(wanted: Params["resource_limits"], found: Limits): Limits {
  const given = Object.entries(wanted ?? {}).filter(([, value]) => value !== undefined);
  return { ...found, ...Object.fromEntries(given) };
}

function desiredPrivileges({ privileges, append_privs }: Params, found: Privileges): Privileges {
  if (privileges === undefined) return found;
  const wanted = normalizePrivileges(privileges, found);
  if (!append_privs) return wanted;
  return collect([...Object.entries(found), ...Object.entries(wanted)]);
}
