import { expect, it } from "vitest";
import { mayHoldSecret, paramsOf } from "./scope.ts";

it.each([
  ['const s = new Secret("canary")', true],
  ['ensure(mysqlUser({ login, name: "app", password: "canary" }))', true],
  ['ensure(user({ name: "x", update_password: "always" }))', true],
  ['const apiToken = "canary"', true],
  [" ensure(x) // begins with a blank, as in other shells", true],
  ['ensure(apt({ name: "curl" }))', false],
  ["await probe(sh`uptime`)", false],
])("keeps %j out of the history: %j", (line, kept) => {
  expect(mayHoldSecret(line)).toBe(kept);
});

it("knows the params of a module by the name that it is called with", () => {
  expect(paramsOf("dockerContainer")).toContain("image");
  expect(paramsOf("toString")).toEqual([]);
});
