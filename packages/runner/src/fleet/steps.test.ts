import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Task } from "../module.ts";
import { sh } from "../sh.ts";
import { holds } from "../testing/playing.ts";
import { planSteps } from "./steps.ts";

const template = holds({ test: sh`true` });
/** A task declared at this line. */
const at = (where: string): Task => ({ ...template, where, name: where });
const list = (text: string): readonly Task[] => [...text].map(at);
/** `a12 b2`: task a on the first and second host, then b on the second. */
const shown = (...texts: string[]): string =>
  planSteps(texts.map(list))
    .map((step) => `${step[0]?.task.name}${step.map(({ list: index }) => index + 1).join("")}`)
    .join(" ");

describe("steps of lists", () => {
  it.each([
    ["equal lists", ["abc", "abc"], "a12 b12 c12"],
    ["a task that one host does not need", ["abc", "ac"], "a12 b1 c12"],
    ["a task of one host at the end", ["ab", "abc"], "a12 b12 c2"],
    ["lists with nothing in common", ["ab", "cd"], "a1 b1 c2 d2"],
    ["a declaration in a loop", ["aab", "ab"], "a12 a1 b12"],
    ["opposite orders", ["ab", "ba"], "a1 b12 a2"],
    ["hosts with nothing to do", ["", "a", ""], "a2"],
    ["nobody", [], ""],
  ])("%s", (_what, texts, expected) => {
    expect(shown(...texts)).toBe(expected);
  });

  it("have each task of each host once, in order, and one declaration each", () => {
    const lists = fc.array(fc.string({ unit: fc.constantFrom(..."abcdef"), maxLength: 12 }), { maxLength: 6 });
    fc.assert(
      fc.property(lists, (texts) => {
        const steps = planSteps(texts.map(list));
        for (const step of steps) {
          expect(new Set(step.map(({ task }) => task.where)).size).toBe(1);
          expect(new Set(step.map(({ list: index }) => index)).size).toBe(step.length);
        }
        texts.forEach((text, index) => {
          const own = steps.flatMap((step) => step.filter((part) => part.list === index).map(({ task }) => task.name));
          expect(own.join("")).toBe(text);
        });
      }),
    );
  });

  it("are as few as the longest list where all hosts declare the same", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        (text, count) => {
          expect(planSteps(Array.from({ length: count }, () => list(text)))).toHaveLength(text.length);
        },
      ),
    );
  });
});
