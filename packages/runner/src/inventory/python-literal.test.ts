import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type PythonLiteral, readPythonLiteral } from "./python-literal.ts";

/** Recorded from Python by `cases/record-literals.py`. */
const RECORDED = JSON.parse(
  readFileSync(`${import.meta.dirname}/cases/python-literals.json`, "utf8"),
) as readonly (readonly [text: string, literal: { readonly value: PythonLiteral } | null])[];

it("reads and leaves alone what Python does", () => {
  expect(RECORDED.length).toBeGreaterThan(800);
  const ours = RECORDED.map(([text]) => [text, readPythonLiteral(text) ?? null]);
  expect(ours.filter((row, index) => JSON.stringify(row) !== JSON.stringify(RECORDED[index]))).toEqual([]);
});

it("leaves a number that no double holds as the text that it is", () => {
  expect(readPythonLiteral("123456789012345678901234567890")).toBeUndefined();
});

it("takes no time for lists in lists without end", () => {
  expect(readPythonLiteral("[".repeat(100_000))).toBeUndefined();
});

it("reads every JSON value but for true, false and null as JSON does", () => {
  const values = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(values, (json) => {
      fc.pre(!/true|false|null|\\u|e[+-]?\d|\d{16}/.test(json));
      expect(readPythonLiteral(json)).toEqual({ value: JSON.parse(json) as unknown });
    }),
  );
});
