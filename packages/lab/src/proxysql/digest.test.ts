import { expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import { spookyHash } from "./spooky-hash.ts";

test.each([
  ["SELECT 1", "SELECT ?"],
  ["select  a1 ,b from t2 where x='it''s' and y=-1.5e3", "select a1 ,b from t2 where x=? and y=?"],
  ["INSERT INTO t (a,b) VALUES (1, 'x')", "INSERT INTO t (a,b) VALUES (?,?)"],
  ["SELECT * FROM t WHERE id IN (1,2,3,4,5)", "SELECT * FROM t WHERE id IN (?,?,?,...)"],
  ['/* c */ SELECT "a\\"b" -- tail', "SELECT ?"],
  ["SELECT `1a` FROM `t 1`;", "SELECT `1a` FROM `t 1`"],
])("%s", (sql, text) => {
  expect(digestOf(sql).text).toBe(text);
});

test("the hash is the recorded one", () => {
  expect(digestOf("SELECT 1").hash).toBe("0x1C46AE529DD5A40E");
});

test("megabytes of text are no trouble", () => {
  expect(digestOf(`INSERT INTO t VALUES ('${"z".repeat(9_000_000)}')`).text).toBe("INSERT INTO t VALUES (?");
});

test("messages of every length hash to something of their own", () => {
  const hashes = Array.from({ length: 400 }, (_, length) => spookyHash(Buffer.alloc(length, "a"), [1n, 2n]));
  expect(new Set(hashes).size).toBe(hashes.length);
});
