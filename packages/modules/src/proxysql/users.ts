import { defineModule, equalValues, type Secret, secretParam } from "@keybuzz/runner";
import * as z from "zod";
import { nativePasswordHash } from "../probes/native-password.ts";
import { proxysqlLogin } from "../probes/sql-login.ts";
import { adminPort, familyPlan, familyProbe, unmanagedParam } from "./family.ts";
import { type Content, desiredLayers, type Family, type Layers, type Rows, showRuntime } from "./layers.ts";
import { type Row, toRow, USERS } from "./tables.ts";

const userRow = z.strictObject({
  username: z.string().min(1).describe("name, on both sides of the proxy"),
  password: secretParam().describe("clear text, stored as its hash; or a hash: *40 digits, $A$005$..."),
  active: z.boolean().default(true).describe("whether it may log in"),
  use_ssl: z.boolean().default(false).describe("demand TLS of clients"),
  default_hostgroup: z.int().min(0).describe("hostgroup of its queries, unless a rule says another"),
  default_schema: z.string().nullable().default(null).describe("database that it starts in"),
  schema_locked: z.boolean().default(false).describe("not used by ProxySQL"),
  transaction_persistent: z.boolean().default(true).describe("keep a transaction in the hostgroup where it began"),
  fast_forward: z.boolean().default(false).describe("hand packets on without reading them: no rules, no multiplexing"),
  max_connections: z.int().min(0).default(10_000).describe("connections of clients at most"),
  attributes: z.string().default("").describe("JSON"),
  comment: z.string().default("").describe("free text"),
});

const params = z.strictObject({
  login: proxysqlLogin,
  users: z.array(userRow).describe("users that clients log in as, and that ProxySQL logs in as on the backends"),
  unmanaged: unmanagedParam,
});

const FAMILY: Family = {
  words: "MYSQL USERS",
  tables: [USERS],
  expectedRuntime: (memory) => project(memory),
  foundRuntime: project,
};

/**
 * Users, in memory, at run time and on disk. A password is stored as the hash that MariaDB stores too, so that neither
 * holds the clear text; the accounts' plugin on MariaDB has to be mysql_native_password.
 * @see https://proxysql.com/documentation/main-runtime/#mysql_users
 */
export const proxysqlUsers = defineModule({
  name: "proxysql_users",
  summary: "ProxySQL's users, in memory, at run time and on disk",
  params,
  id: ({ login }) => adminPort(login),
  probe: ({ login }) => familyProbe(login, FAMILY),
  desired({ users, unmanaged }, current): Layers {
    const rows = users.map(({ password, ...rest }) =>
      toRow({ ...rest, password: storedPassword(password), backend: 1, frontend: 1 }),
    );
    return desiredLayers(FAMILY, new Map([[USERS, rows]]), current, unmanaged);
  },
  plan: ({ params: { login }, current, wanted }) => familyPlan(login, FAMILY, current, wanted),
});

/** ProxySQL itself takes a text of either form for a hash. */
function storedPassword(password: Secret): Secret {
  return /^(\*[0-9A-F]{40}|\$A\$\d{3}\$)/s.test(password.reveal()) ? password : nativePasswordHash(password);
}

/**
 * Run time has a row for each side of the proxy, and none for users who are not active. Two rows that say the same are
 * shown as one.
 */
function project(content: Content): Layers["runtime"] {
  const active = (content.get(USERS) ?? []).filter((row) => row["active"] === "1");
  const halves = active.flatMap((row): readonly Row[] =>
    row["backend"] === "1" && row["frontend"] === "1"
      ? [
          { ...row, backend: "0" },
          { ...row, frontend: "0" },
        ]
      : [row],
  );
  const byName = Map.groupBy(halves, (row) => String(row["username"]));
  return { [USERS.name]: showRuntime(USERS, [...byName.values()].flatMap(joinHalves)) satisfies Rows };
}

function joinHalves(rows: readonly Row[]): readonly Row[] {
  const [first, second] = rows.map((row) => ({ ...row, backend: "1", frontend: "1", attributes: canonical(row) }));
  if (first === undefined || second === undefined) return rows;
  return equalValues(first, second) ? [first] : rows;
}

/** ProxySQL may write JSON in its own way. */
function canonical(row: Row): string {
  const text = String(row["attributes"] ?? "");
  try {
    return text === "" ? "" : JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
