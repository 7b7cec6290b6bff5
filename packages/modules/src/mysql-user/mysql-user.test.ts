import { Secret } from "@keybuzz/runner";
import { moduleSuite } from "@keybuzz/runner/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mysqlUser } from "./mysql-user.ts";
import { normalizeList, normalizePrivileges, parseScope, renderScope, splitPrivileges } from "./privileges.ts";
import { parseShowGrants } from "./show-grants.ts";

moduleSuite(mysqlUser, import.meta.url);

const login = { via: "socket" } as const;

describe("SHOW GRANTS", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text !== "*" && !text.includes("\0"));
  const quoted = (text: string): string => `\`${text.replaceAll("`", "``")}\``;

  it("is read whatever the names are", () => {
    fc.assert(
      fc.property(name, name, name, name, (database, table, user, host) => {
        const grant = `GRANT SELECT (\`a,)\`, b), UPDATE ON ${quoted(database)}.${quoted(table)} TO ${quoted(user)}@${quoted(host)} WITH GRANT OPTION`;
        const key = renderScope({ kind: "TABLE", database, object: table });
        expect(parseScope(key)).toEqual({ kind: "TABLE", database, object: table });
        expect(parseShowGrants([grant])).toEqual({ [key]: ["GRANT OPTION", "SELECT (`a,)`)", "SELECT (b)", "UPDATE"] });
      }),
    );
  });
  it("takes no word out of a quoted text for an option", () => {
    const statement = "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD ' WITH GRANT OPTION' REQUIRE SSL";
    expect(parseShowGrants([statement])).toEqual({});
    expect(parseShowGrants([`${statement} WITH GRANT OPTION`])).toEqual({ "*.*": ["GRANT OPTION"] });
  });
  it("does not take what PUBLIC has, roles and PROXY for the account's own", () => {
    const others = [
      "GRANT SELECT ON `test`.* TO PUBLIC",
      "GRANT `r1` TO `u`@`%` WITH ADMIN OPTION",
      "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
      "SET DEFAULT ROLE `r1` FOR `u`@`%`",
    ];
    expect(parseShowGrants(others)).toEqual({});
  });
  it("refuses a form that it does not know, without telling the hash in it", () => {
    expect(() => parseShowGrants(["DENY SELECT ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*AB'"])).toThrow(
      /something unknown: DENY SELECT ON \*\.\* TO `u`@`%` \.\.\.$/,
    );
  });
});

describe("privileges", () => {
  it("are the same however often they are normalized", () => {
    const privilege = fc.constantFrom("select", "ALL", "replica monitor", "SELECT (b, a)", "grant", "Usage", "EXECUTE");
    fc.assert(
      fc.property(fc.array(privilege), (list) => {
        const once = normalizeList(list);
        expect(normalizeList(once)).toEqual(once);
      }),
    );
  });
  it.each([
    ["my_db.*", "my\\_db.*"],
    ["my\\_db.*", "my\\_db.*"],
    ["my_%.*", "my_%.*"],
    ["my_db.my_table", "my_db.my_table"],
    ["`a.b`.*", "`a.b`.*"],
    ["function my_db.f", "FUNCTION my_db.f"],
    ["*.*", "*.*"],
  ])("on %s are on %s", (given, scope) => {
    expect(Object.keys(normalizePrivileges({ [given]: ["SELECT"] }, {}))).toEqual([scope]);
  });
  it.each(["db", "a.b.c", "", "db.*; DROP", "PROCEDURES a.b"])("cannot be on %j", (given) => {
    expect(() => normalizePrivileges({ [given]: ["SELECT"] }, {})).toThrow("privileges cannot be on");
  });
  it("are split at their outer commas", () => {
    expect(splitPrivileges("SELECT (`a,)`, b), CREATE VIEW")).toEqual(["SELECT (`a,)`, b)", "CREATE VIEW"]);
  });
});

describe("an account", () => {
  it("has to say how it logs in when it is made", () => {
    expect(() => mysqlUser({ login, name: "u" }).assess(null)).toThrow("nothing says how it logs in");
  });
  it("has one password, which is not empty", () => {
    const plugin = { name: "ed25519" };
    expect(() => mysqlUser({ login, name: "u", password: "" })).toThrow("bad params");
    expect(() => mysqlUser({ login, name: "u", password: new Secret("x"), plugin })).toThrow("bad params");
  });
  it("is not touched for privileges that are written in another way", () => {
    const state = {
      auth: [{ plugin: "unix_socket", hash: null }],
      tls: "NONE",
      limits: {
        max_queries_per_hour: 0,
        max_updates_per_hour: 0,
        max_connections_per_hour: 0,
        max_user_connections: 0,
        max_statement_time: 0,
      },
      privileges: {
        "*.*": ["BINLOG MONITOR", "READ_ONLY ADMIN", "REPLICATION SLAVE", "SLAVE MONITOR"],
        "erp.*": ["ALL PRIVILEGES"],
      },
    };
    const task = mysqlUser({
      login,
      name: "u",
      privileges: {
        "*.*": ["replication client", "Read Only Admin", "REPLICATION REPLICA", "REPLICA MONITOR", "USAGE"],
        "erp.*": ["SELECT", "all"],
        "other.*": [],
      },
    });
    expect(task.assess(state).differs).toBe(false);
  });
});
