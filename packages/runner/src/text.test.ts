import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParamsError, renderError } from "./errors.ts";
import { Secret } from "./secret.ts";
import { quoteShell, sh } from "./sh.ts";
import { sql, sqlId, sqlite, sqlJoin } from "./sql.ts";
import { diffStates, equalValues } from "./state.ts";

const text = fc
  .string({ unit: "binary", maxLength: 200 })
  .filter((value) => !value.includes("\0") && value.isWellFormed());

describe("sh", () => {
  it("passes any text through a real shell unchanged", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(execFileSync("sh", ["-c", sh`printf %s ${value}`.text], { encoding: "utf8" })).toBe(value);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps arrays as words and nested texts as they are", () => {
    expect(sh`rm -- ${["a b", "c"]} && ${sh`echo ${"it's"}`}`.text).toBe("rm -- 'a b' c && echo 'it'\\''s'");
  });

  it("refuses NUL and secrets", () => {
    expect(() => quoteShell("a\0b")).toThrow(ParamsError);
    expect(() => sh`${new Secret("x")}`).toThrow(/Secret/);
  });
});

describe("sql", () => {
  it("quotes for each dialect", () => {
    expect(sql`SELECT ${"it's \\ here"}, ${null}, ${7}, ${true}`.toString()).toBe(
      "SELECT 'it''s \\\\ here', NULL, 7, TRUE",
    );
    expect(sqlite`SELECT ${"it's \\ here"}`.toString()).toBe("SELECT 'it''s \\ here'");
    expect(sqlId("a`b").toString()).toBe("`a``b`");
  });

  it("turns a statement with a secret into a secret", () => {
    const statement = sqlJoin([sql`SET x=${1}`, sql`ALTER USER a IDENTIFIED BY ${new Secret("pw'")}`], ";\n");
    expect(String(statement)).toBe("<secret SQL>");
    expect(JSON.stringify({ statement })).not.toContain("pw");
    expect((statement.input as Secret).reveal()).toContain("'pw'''");
  });
});

describe("secrets", () => {
  it("print as <secret> whatever is done to them", () => {
    const secret = new Secret("hunter2");
    const seen = [
      `${secret}`,
      String(secret),
      JSON.stringify([secret]),
      `${[secret]}`,
      JSON.stringify(Object.entries({ secret })),
    ];
    for (const shown of seen) {
      expect(shown).toContain("<secret>");
      expect(shown).not.toContain("hunter2");
    }
    expect(Object.values(secret)).toEqual([]);
  });

  it("compare by value", () => {
    expect(equalValues({ a: new Secret("x") }, { a: new Secret("x") })).toBe(true);
    expect(equalValues({ a: new Secret("x") }, { a: new Secret("y") })).toBe(false);
    expect(equalValues({ a: new Secret("x") }, { a: "x" })).toBe(false);
    const shown = diffStates({ a: new Secret("x"), b: 1 }, { a: new Secret("y"), b: 1 });
    expect(JSON.stringify(shown)).toBe('[{"path":"a","before":"<secret>","after":"<secret>"}]');
  });
});

it("says what was tried, where, what came back and what to try", () => {
  const error = new ParamsError("bad params for apt", {
    host: "db1",
    task: "apt vim",
    where: "p.ts:3",
    detail: "name: no",
    hint: "kb module show apt",
  });
  expect(renderError(error)).toBe("apt vim on db1 (p.ts:3): bad params for apt\n  name: no\n  try: kb module show apt");
});
