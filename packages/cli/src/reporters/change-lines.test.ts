import { expect, test } from "vitest";
import { changeLines, summariseChanges } from "./change-lines.ts";
import { makePaint } from "./style.ts";

const edit = { path: "text", before: "a\nb\nc\n", after: "a\nB\nc\nd\n" };

test("a text of several lines is told by its lines, not by its first letters", () => {
  expect(summariseChanges([edit])).toBe("text +2 -1 lines");
  expect(changeLines([edit], makePaint(false))).toEqual(["~ text:", "@@ -1,3 +1,4 @@", " a", "-b", "+B", " c", "+d"]);
});

test("a record that comes or goes is told field by field", () => {
  const change = { path: "live", before: null, after: { fstype: "xfs", flags: ["noatime"] } };
  expect(changeLines([change], makePaint(false))).toEqual(["+ live.fstype: xfs", '+ live.flags: ["noatime"]']);
  expect(changeLines([{ ...change, before: { fstype: "xfs" }, after: null }], makePaint(false))).toEqual([
    "- live.fstype: xfs",
  ]);
});

test("a file inside of a record is told by its lines too", () => {
  const change = { path: "file", before: null, after: { mode: "0644", text: "a = 1\nb = 2\n" } };
  expect(changeLines([change], makePaint(false))).toEqual([
    "+ file.mode: 0644",
    "~ file.text:",
    "@@ -0,0 +1,2 @@",
    "+a = 1",
    "+b = 2",
  ]);
});
