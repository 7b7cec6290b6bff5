import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Secret, sqlite } from "@keybuzz/runner";
import { moduleSuite } from "@keybuzz/runner/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROXYSQL_NEEDS_RESTART, proxysqlRestartNeeded } from "../probes/sql-rows.ts";
import { literal, showRows } from "./layers.ts";
import { proxysqlQueryRules } from "./query-rules.ts";
import { proxysqlServers } from "./servers.ts";
import {
  GALERA_HOSTGROUPS,
  QUERY_RULES,
  REPLICATION_HOSTGROUPS,
  type Row,
  SERVERS,
  type Table,
  USERS,
} from "./tables.ts";
import { proxysqlUsers } from "./users.ts";
import { proxysqlVariables } from "./variables.ts";

moduleSuite(proxysqlServers, import.meta.url);
moduleSuite(proxysqlUsers, import.meta.url);
moduleSuite(proxysqlQueryRules, import.meta.url);
moduleSuite(proxysqlVariables, import.meta.url);

const RECORDS = new URL("../../../lab/src/proxysql/data/", import.meta.url);
const record = (file: string): string => readFileSync(new URL(file, RECORDS), "utf8");

const login = { password: "admin-password" };
const row = (table: Table, values: Row): Row => ({ ...table.columns, ...values });

/** The answer of an admin port with these rows. */
function answer(layers: Readonly<Record<string, ReadonlyMap<Table, readonly Row[]>>>): string {
  const lines = Object.entries(layers).flatMap(([layer, tables]) =>
    [...tables].flatMap(([table, rows]) =>
      rows.map((values) =>
        [
          layer,
          table.name,
          ...Object.keys(table.columns).map((name) => (values[name] === null ? "-" : `=${values[name]}`)),
        ].join("\t"),
      ),
    ),
  );
  return `-- kb-answer\n${lines.map((line) => `${line}\n`).join("")}-- kb-done\n`;
}
describe("a table, as ProxySQL 2.7.1 has it", () => {
  const schema = record("proxysql-2.7-schema.txt");
  const definition = (name: string): string => {
    const found = new RegExp(`^CREATE TABLE ${name} \\((.*?)\\n\\n`, "ms").exec(schema);
    return `CREATE TABLE ${name} (${found?.[1] ?? ""}`;
  };

  it.each([SERVERS, GALERA_HOSTGROUPS, REPLICATION_HOSTGROUPS, QUERY_RULES, USERS])(
    "$name has these columns with these defaults, and these keys",
    ({ name, columns, keys }) => {
      const database = new DatabaseSync(":memory:");
      database.exec(definition(name));
      const info = database.prepare(`PRAGMA table_info(${name})`).all();
      const unquote = (text: unknown): string | null =>
        text === null
          ? null
          : (database.prepare(`SELECT CAST(${String(text)} AS TEXT) AS text`).get()?.["text"] as string | null);
      expect(info.map((column) => column["name"]).sort()).toEqual(Object.keys(columns).sort());
      for (const { name: column, dflt_value, notnull, pk } of info) {
        if (keys.includes(String(column)) || (dflt_value === null && (notnull === 1 || pk !== 0))) continue;
        expect(columns[String(column)], String(column)).toEqual(unquote(dflt_value));
      }
      expect(info.filter(({ pk }) => pk !== 0).map((column) => column["name"])).toEqual(
        expect.arrayContaining([...keys]),
      );
    },
  );
});

describe("what was recorded from ProxySQL 2.7.1", () => {
  type Exchange = { readonly sql?: string; readonly rows?: readonly Record<string, string | null>[] };
  const exchanges = record("proxysql-2.7-admin.ndjson")
    .trim()
    .split("\n")
    .map((line): Exchange => JSON.parse(line));
  const rowsOf = (query: RegExp): readonly Row[] =>
    exchanges.find(({ sql, rows }) => query.test(sql ?? "") && rows !== undefined)?.rows ?? [];

  it("has the users at run time that follow from those in memory", () => {
    const added = ["nullpw", "emptypw"].map((username) => row(USERS, { username, password: null, frontend: "1" }));
    const memory = new Map([[USERS, [...rowsOf(/^SELECT \* FROM mysql_users$/), ...added]]]);
    const runtime = new Map([[USERS, rowsOf(/^SELECT username,password,active,use_ssl.* FROM runtime_mysql_users/)]]);
    expect(runtime.get(USERS)).toHaveLength(13);
    const task = proxysqlUsers({ login, users: [] });
    const stdout = answer({ memory, runtime, disk: memory });
    const state = task.probe.parse([{ stdout, stderr: "", exitCode: 0 }]);
    expect(task.assess(state as never).differs).toBe(false);
  });
  it("needs a restart for no other variables than these", () => {
    expect([...PROXYSQL_NEEDS_RESTART]).toEqual(["mysql-interfaces", "mysql-threads"]);
    const names = record("proxysql-2.7-variables.txt")
      .split("\n")
      .map((line) => line.split("\t")[0]);
    expect(names).toEqual(expect.arrayContaining([...PROXYSQL_NEEDS_RESTART]));
  });
});

describe("a restart", () => {
  const rows = (disk: string, runtime: string): string =>
    `-- kb-answer\nmysql-interfaces\t0.0.0.0:3306\nmysql-threads\t${disk}\nmysql-interfaces\t0.0.0.0:3306\nmysql-threads\t${runtime}\n-- kb-done\n`;

  it.each([
    ["8", "2", ["mysql-threads"]],
    ["8", "8", []],
  ])("is needed with %s on disk and %s in force: %j", (disk, runtime, names) => {
    const probe = proxysqlRestartNeeded(login);
    expect(probe.parse([{ stdout: rows(disk, runtime), stderr: "", exitCode: 0 }])).toEqual(names);
  });
});

describe("a literal", () => {
  const database = new DatabaseSync(":memory:");
  const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
  const awkward = fc
    .array(fc.constantFrom("\\", "'", "''", "\\'", ";", "\n", "x"), { maxLength: 8 })
    .map((parts) => parts.join(""));

  it("means its text to SQLite", () => {
    fc.assert(
      fc.property(fc.oneof(text, awkward), (value) => {
        const { input } = sqlite`SELECT ${literal(value)} AS text`;
        expect(database.prepare(String(input)).get()).toEqual({ text: value });
      }),
    );
  });
  it("has no backslash, which the client would take for an escape", () => {
    fc.assert(
      fc.property(fc.oneof(text, awkward), (value) => {
        expect(literal(value).toString()).not.toContain("\\");
      }),
    );
  });
  it("stays secret", () => {
    expect(literal(new Secret("a\\b")).toString()).toBe("<secret SQL>");
    expect(literal(null).toString()).toBe("NULL");
  });
});

describe("run time", () => {
  const hostgroups = {
    writer_hostgroup: 10,
    backup_writer_hostgroup: 20,
    reader_hostgroup: 30,
    offline_hostgroup: 9999,
  };
  const servers = ["170", "171", "172"].map((last) => ({ hostgroup_id: 10, hostname: `10.0.0.${last}`, weight: 1000 }));
  const task = proxysqlServers({ login, servers, galera_hostgroups: [hostgroups] });

  const server = (hostgroup: string, hostname: string, status: string, weight = "1000"): Row =>
    row(SERVERS, { hostgroup_id: hostgroup, hostname, status, port: "3306", weight });
  const galera = row(
    GALERA_HOSTGROUPS,
    Object.fromEntries(Object.entries(hostgroups).map(([name, id]) => [name, String(id)])),
  );
  const memory = new Map([
    [SERVERS, ["170", "171", "172"].map((last) => server("10", `10.0.0.${last}`, "ONLINE"))],
    [GALERA_HOSTGROUPS, [galera]],
  ]);
  const differs = (found: readonly Row[]): boolean => {
    const runtime = new Map([
      [SERVERS, found],
      [GALERA_HOSTGROUPS, [galera]],
    ]);
    const stdout = answer({ memory, runtime, disk: memory });
    const state = task.probe.parse([{ stdout, stderr: "", exitCode: 0 }]);
    return task.assess(state as never).differs;
  };

  it.each<[string, readonly Row[]]>([
    // The rows that facts were measured with: one writer, surplus writers shunned, readers.
    [
      "one writer, two backup writers that read",
      [
        ...[
          server("10", "10.0.0.170", "ONLINE"),
          server("10", "10.0.0.171", "SHUNNED"),
          server("10", "10.0.0.172", "SHUNNED"),
        ],
        ...["20", "30"].flatMap((id) => [server(id, "10.0.0.171", "ONLINE"), server(id, "10.0.0.172", "ONLINE")]),
      ],
    ],
    [
      "the first node offline, the second one the writer",
      [
        ...[server("9999", "10.0.0.170", "SHUNNED"), server("10", "10.0.0.170", "OFFLINE_HARD")],
        ...[
          server("10", "10.0.0.171", "ONLINE"),
          server("10", "10.0.0.172", "SHUNNED"),
          server("20", "10.0.0.172", "ONLINE"),
        ],
      ],
    ],
  ])("is as wanted with %s", (_what, rows) => {
    expect(differs(rows)).toBe(false);
  });
  it.each<[string, readonly Row[]]>([
    ["a node missing", [server("10", "10.0.0.170", "ONLINE"), server("30", "10.0.0.171", "ONLINE")]],
    [
      "another weight",
      ["170", "171", "172"].map((last) => server("10", `10.0.0.${last}`, "ONLINE", last === "170" ? "1" : "1000")),
    ],
    [
      "a server in another hostgroup",
      [
        ...["170", "171", "172"].map((last) => server("10", `10.0.0.${last}`, "ONLINE")),
        server("50", "10.0.0.170", "ONLINE"),
      ],
    ],
  ])("is not as wanted with %s", (_what, rows) => {
    expect(differs(rows)).toBe(true);
  });
  it("shows only what differs from the defaults", () => {
    expect(showRows(SERVERS, [server("10", "h", "ONLINE")])).toEqual({
      "10/h:3306": { hostgroup_id: "10", hostname: "h", port: "3306", weight: "1000" },
    });
  });
});
