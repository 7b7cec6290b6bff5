import { Secret, sql } from "@keybuzz/runner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mariadbLogin, mariadbServer } from "./sql-login.ts";
import { readRows, runSql, sqlBatch, sqlQuestion } from "./sql-session.ts";

const server = mariadbServer(mariadbLogin.parse({ via: "container", password: "pass word" }));
const answer = (body: string): string => `-- kb-answer\n${body}-- kb-done\n`;
const output = (stdout: string) => ({ stdout, stderr: "", exitCode: 0 });
const batchEscape = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\0", "\\0");

describe("a session's answers", () => {
  it("are split into one part a key that together are the whole", () => {
    const body = fc.array(fc.string().map(batchEscape)).map((rows) => rows.map((row) => `=${row}\n`).join(""));
    fc.assert(
      fc.property(fc.array(body, { minLength: 1 }), (bodies) => {
        const parts = bodies.map(answer);
        const keys = bodies.map((_, index) => `SELECT ${index}`);
        expect(sqlBatch(server).split(parts.join(""), keys)).toEqual(parts);
      }),
    );
  });
  it("give back every text that the client escaped", () => {
    const field = fc.string({ unit: "grapheme" }).map((text) => `=${text}`);
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 1 })), (rows) => {
        const body = rows.map((row) => `${row.map(batchEscape).join("\t")}\n`).join("");
        expect(readRows(server, output(answer(body)))).toEqual(rows);
      }),
    );
  });
  it("give each key without an answer the reason", () => {
    const lost = "ERROR 2013 (HY000) at line 5: Lost connection to server during query\n";
    const parts = sqlBatch(server).split(`${answer("1\n")}${lost}`, ["SELECT 1", "SELECT 2", "SELECT 3"]);
    expect(parts).toEqual([answer("1\n"), lost, lost]);
    expect(readRows(server, output(lost))).toMatchObject({ reason: expect.stringContaining("does not answer") });
  });
  it("survive a warning of the client before them", () => {
    expect(readRows(server, output(`Warning: mariadb: unknown option\n${answer("1\n")}`))).toEqual([["1"]]);
  });
  it("are missing, and no error, where a Galera node is not ready", () => {
    const said = "ERROR 1047 (08S01) at line 3: WSREP has not yet prepared node for application use\n";
    expect(readRows(server, output(answer(said)))).toMatchObject({
      reason: expect.stringContaining("not yet prepared"),
    });
  });
  it("are an error where a statement failed", () => {
    const failed = "ERROR 1146 (42S02) at line 4: Table 'a.b' doesn't exist\n";
    expect(() => readRows(server, output(answer(failed)))).toThrow("Table 'a.b' doesn't exist");
    expect(() => readRows(server, output(""))).toThrow("the client said nothing");
  });
});

describe("the client", () => {
  it("gets no secret but through standard input", () => {
    const action = runSql(server, [sql`SET PASSWORD FOR a = ${new Secret("hidden word")}`]);
    expect(action.script.text).not.toMatch(/pass word|hidden word/);
    expect(String(action.stdin)).toBe("<secret>");
    expect(String(sqlBatch(server).render(["SELECT 1"]).stdin)).toBe("<secret>");
    expect(String(sqlQuestion(server, [sql`SELECT 1`]).stdin)).toBe("<secret>");
  });
  it("is told apart by server and by password, and the name tells neither password", () => {
    const other = mariadbServer(mariadbLogin.parse({ via: "container", password: "other" }));
    const { name } = sqlBatch(server);
    expect(sqlBatch(server).name).toBe(name);
    expect(sqlBatch(other).name).not.toBe(name);
    expect(name).not.toContain("pass word");
  });
});
