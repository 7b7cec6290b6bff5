import { Secret, sql } from "@keybuzz/runner";
import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { mysqlQuery } from "./mysql-query.ts";

moduleSuite(mysqlQuery, import.meta.url);

describe("mysql_query", () => {
  const login = { via: "socket" } as const;

  it("takes SQL of the sql tag alone", () => {
    // @ts-expect-error text is no SQL
    expect(() => mysqlQuery({ login, title: "t", query: "DROP DATABASE x", unless: sql`SELECT 1` })).toThrow(
      "bad params",
    );
  });
  it("asks what holds a secret in a session of its own, through standard input", () => {
    const unless = sql`SELECT 1 FROM t WHERE k = ${new Secret("hidden word")}`;
    const [question] = mysqlQuery({ login, title: "t", query: sql`DO 1`, unless }).probe.questions;
    expect(question?.kind).toBe("script");
    expect(JSON.stringify(question)).not.toContain("hidden word");
  });
});
