import { expect, test } from "vitest";
import { makePaint, wantsColours } from "./style.ts";

const terminal = { isTTY: true };

test.each([
  [terminal, {}, true],
  [{}, {}, false],
  [terminal, { NO_COLOR: "1" }, false],
  [terminal, { NO_COLOR: "" }, true],
  [terminal, { TERM: "dumb" }, false],
  [{}, { FORCE_COLOR: "1" }, true],
  [terminal, { FORCE_COLOR: "0" }, false],
  [{}, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
])("%j with %j: colours %s", (stream, env, wanted) => {
  expect(wantsColours(stream, env)).toBe(wanted);
});

test("without colours text stays as it is", () => {
  expect(makePaint(false)("bad", "text")).toBe("text");
  expect(makePaint(true)("bad", "text")).not.toBe("text");
});
