import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removedPaths, writeWhiteouts } from "./whiteout.ts";

describe("removedPaths", () => {
  it("names what is gone, and of a whole directory only the directory", () => {
    const before = ["./etc", "./etc/a", "./usr", "./usr/share", "./usr/share/doc", "./usr/share/doc/x"];
    const after = ["./etc", "./usr", "./usr/share"];
    expect(removedPaths(before, after)).toEqual(["./etc/a", "./usr/share/doc"]);
  });

  it("is not misled by names that sort between a directory and its content", () => {
    expect(removedPaths(["./a", "./a.b", "./a/c"], ["./a.b"])).toEqual(["./a"]);
  });

  it("says nothing of what was added", () => {
    expect(removedPaths(["./a"], ["./a", "./b"])).toEqual([]);
  });

  it("leaves, once applied, exactly what is in both", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 })
      .map((parts) => `./${parts.join("/")}`);
    // A root file system holds every parent of what it holds.
    const root = fc
      .array(path)
      .map((paths) => [
        ...new Set(
          paths.flatMap((one) =>
            one.split("/").flatMap((_, end, parts) => (end > 0 ? [parts.slice(0, end + 1).join("/")] : [])),
          ),
        ),
      ]);
    fc.assert(
      fc.property(root, root, (before, after) => {
        const removed = removedPaths(before, after);
        const left = before.filter((one) => !removed.some((gone) => one === gone || one.startsWith(`${gone}/`)));
        expect(left.toSorted()).toEqual(before.filter((one) => after.includes(one)).toSorted());
      }),
    );
  });
});

describe("writeWhiteouts", () => {
  let upper: string;
  beforeEach(async () => {
    upper = await mkdtemp(join(tmpdir(), "kb-whiteout-"));
  });
  afterEach(() => rm(upper, { recursive: true }));

  it("marks a removed path beside where it was, in a directory that the layer may not have had", async () => {
    await mkdir(join(upper, "etc"));
    await writeWhiteouts(upper, ["./etc/a", "./usr/share/doc"]);
    expect(await readdir(join(upper, "etc"))).toEqual([".wh.a"]);
    expect(await readdir(join(upper, "usr/share"))).toEqual([".wh.doc"]);
  });
});
