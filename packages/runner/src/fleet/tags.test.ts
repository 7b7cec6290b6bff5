import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sh } from "../sh.ts";
import { holds } from "../testing/playing.ts";
import { isSelected, tagged } from "./tags.ts";

const split = (text: string): string[] => text.split(" ").filter((word) => word !== "");

describe("a task's tags, --tags and --skip-tags", () => {
  // Each line was looked up in ansible-core's own rules (playbook/taggable.py, evaluate_tags).
  it.each([
    ["", "", "", true],
    ["config", "", "", true],
    ["never", "", "", false],
    ["never config", "", "", false],
    ["always", "", "", true],
    ["", "config", "", false],
    ["config", "config", "", true],
    ["config db", "db", "", true],
    ["packages", "config", "", false],
    ["always", "config", "", true],
    ["never config", "config", "", true],
    ["never config", "never", "", true],
    ["never", "all", "", false],
    ["config", "all", "", true],
    ["", "tagged", "", false],
    ["config", "tagged", "", true],
    ["never config", "tagged", "", false],
    ["", "untagged", "", true],
    ["config", "untagged", "", false],
    ["always", "untagged", "", true],
    ["config", "", "config", false],
    ["packages", "", "config", true],
    ["config db", "db", "config", false],
    ["always", "", "always", false],
    ["always config", "", "config", false],
    ["always", "config", "all", true],
    ["config", "config", "all", false],
    ["always", "", "all always", false],
    ["", "", "untagged", false],
    ["config", "", "tagged", false],
    ["always", "", "tagged", false],
    ["", "", "tagged", true],
  ])("[%s] with --tags [%s] --skip-tags [%s]: %s", (tags, only, skip, expected) => {
    const filter = { ...(only === "" ? {} : { only: split(only) }), skip: split(skip) };
    expect(isSelected(split(tags), filter)).toBe(expected);
  });

  it("never select more the more is skipped", () => {
    const words = fc.subarray(["a", "b", "always", "never"]);
    const asked = fc.subarray(["a", "b", "always", "never", "all", "tagged", "untagged"]);
    fc.assert(
      fc.property(words, asked, asked, asked, (tags, only, skip, more) => {
        if (isSelected(tags, { only, skip: [...skip, ...more] }) && !skip.includes("all") && !more.includes("all")) {
          expect(isSelected(tags, { only, skip })).toBe(true);
        }
      }),
    );
  });
});

describe("tagged", () => {
  const task = holds({ test: sh`true` });

  it("is an option of a task, too", () => {
    expect(holds({ test: sh`true` }, { tags: ["a"] }).tags).toEqual(["a"]);
    expect(() => holds({ test: sh`true` }, { tags: ["all"] })).toThrow(/is no tag/);
  });

  it("adds up, and leaves the task itself alone", () => {
    const [outer] = tagged(["b", "a"], tagged(["a"], [task]));
    expect(outer?.tags).toEqual(["a", "b"]);
    expect(task.tags).toBeUndefined();
    expect(outer?.name).toBe(task.name);
  });

  it.each(["all", "tagged", "untagged", "a,b", "a b", "", "-a", "!a"])("refuses %s", (tag) => {
    expect(() => tagged([tag], [task])).toThrow(/is no tag/);
  });
});
