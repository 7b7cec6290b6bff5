import { expect, test } from "vitest";
import type { Row } from "./databases.ts";
import { digestOf } from "./digest.ts";
import { QueryRules, type Routing } from "./query-rules.ts";

const COLUMNS =
  "username schemaname client_addr proxy_addr proxy_port digest match_digest match_pattern flagOUT replace_pattern destination_hostgroup timeout retries delay multiplex error_msg OK_msg";

function rule(id: number, columns: Row): Row {
  const nulls = Object.fromEntries(COLUMNS.split(" ").map((name) => [name, null]));
  return { rule_id: id, flagIN: 0, negate_match_pattern: 0, re_modifiers: "CASELESS", apply: 1, ...nulls, ...columns };
}

function route(rows: readonly Row[], text: string, username = "app"): Routing {
  const rules = new QueryRules();
  rules.load(rows);
  const digest = digestOf(text);
  const at = { clientAddress: "10.0.0.20", proxyAddress: "10.0.0.173", proxyPort: 3306 };
  return rules.route({ ...at, username, schema: "erp", text, digestText: digest.text, digest: digest.hash });
}

const SPLIT = [
  rule(1, { match_digest: "^SELECT.*FOR UPDATE", destination_hostgroup: 10 }),
  rule(2, { match_digest: "^SELECT", destination_hostgroup: 30 }),
];

test("the first rule that applies ends the search", () => {
  expect(route(SPLIT, "select 1").hostgroup).toBe(30);
  expect(route(SPLIT, "select 1 for update").hostgroup).toBe(10);
  expect(route(SPLIT, "insert into t values (1)")).toEqual({});
});

test("flagOUT chains rules, negate turns the match around", () => {
  const rows = [
    rule(1, { username: "app", flagOUT: 7, apply: 0 }),
    rule(2, { flagIN: 7, match_pattern: "^SELECT", negate_match_pattern: 1, destination_hostgroup: 10 }),
    rule(3, { flagIN: 7, destination_hostgroup: 30 }),
  ];
  expect(route(rows, "DELETE FROM t").hostgroup).toBe(10);
  expect(route(rows, "SELECT 1").hostgroup).toBe(30);
  expect(route(rows, "SELECT 1", "other")).toEqual({});
});

test("a pattern may rewrite the statement, an error may answer it", () => {
  const rows = [
    rule(1, { match_pattern: "FROM (\\w+)_old", replace_pattern: "FROM \\1_new", apply: 0 }),
    rule(2, { match_pattern: "secret", error_msg: "no" }),
  ];
  expect(route(rows, "SELECT * FROM t_old").text).toBe("SELECT * FROM t_new");
  expect(route(rows, "SELECT secret").error).toBe("no");
});

test("a broken expression never matches", () => {
  expect(route([rule(1, { match_pattern: "(unclosed", destination_hostgroup: 9 })], "(unclosed")).toEqual({});
});

test("clients by prefix, and by digest", () => {
  const rows = [rule(1, { client_addr: "10.0.0.%", digest: digestOf("SELECT 5").hash, destination_hostgroup: 4 })];
  expect(route(rows, "SELECT 6").hostgroup).toBe(4);
  expect(route([rule(1, { client_addr: "10.0.1.%", destination_hostgroup: 4 })], "SELECT 6")).toEqual({});
});
