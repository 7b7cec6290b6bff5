import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { equalValues, ParamsError, Unmet } from "@keybuzz/runner";
import { describe, expect, it } from "vitest";
import { ALL_MODULES, caseFiles, casesOf } from "./modules.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Lists of tasks that are checked, applied and applied again on real hosts; what check told has to be what was done. */
const PROVED = ["modules-os", "modules-services", "modules-mysql", "security"].map((name) =>
  readFileSync(join(ROOT, `tests/fixtures/${name}.ts`), "utf8"),
);

const identifierOf = (name: string): string =>
  name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

describe.each(ALL_MODULES.map((module) => [module.spec.name, module] as const))("%s", (name, module) => {
  it("has cases of both kinds, and a test that runs the shared suite on them", () => {
    const [probe, plan] = [caseFiles(module, "probe"), caseFiles(module, "plan")];
    expect([probe.length > 0, plan.length > 0]).toEqual([true, true]);
    const folder = dirname(plan[0] ?? "").replace(/\/cases(?:\/.*)?$/, "");
    const tests = globSync("*.test.ts", { cwd: folder }).map((file) => readFileSync(join(folder, file), "utf8"));
    expect(existsSync(folder)).toBe(true);
    expect(tests.join("\n")).toMatch(new RegExp(`moduleSuite\\((?:\\n\\s*)?${identifierOf(name)},`));
  });

  it("is checked and applied on a real host", () => {
    expect(PROVED.some((text) => new RegExp(`\\b${identifierOf(name)}\\(`).test(text))).toBe(true);
  });

  it("has nothing left to do in the state that it wants, and sees where that was not reached", () => {
    const tried = casesOf(module, "plan").map(({ params, state = null }) => {
      const task = module(params as never);
      let assessment: ReturnType<typeof task.assess>;
      try {
        assessment = task.assess(state);
      } catch (error) {
        // A refusal, which has a case of its own.
        if (error instanceof ParamsError) throw error;
        return "refused";
      }
      const again = task.assess(assessment.wanted);
      expect([again.differs, equalValues(again.wanted, assessment.wanted)]).toEqual([false, true]);
      // What actions leave as it was is a difference still: NotConvergedError.
      expect(task.assess(state).differs).toBe(assessment.differs);
      return assessment.differs ? "differs" : "same";
    });
    expect(tried).toContain("differs");
  });

  it("is foreseen, by a later task of the same thing, as it will be left", () => {
    const nothing = { has: () => false };
    for (const { params, state = null } of casesOf(module, "plan")) {
      const task = module(params as never);
      const foreseen = task.foresee(state, nothing);
      expect(foreseen instanceof Unmet ? state : foreseen).toEqual(state);
      expect(task.touches.length).toBeGreaterThan(0);
      expect(new Set(task.touches).size).toBe(task.touches.length);
    }
  });

  it("asks the same thing each time, by questions that others can share", () => {
    for (const { params } of casesOf(module)) {
      const [one, other] = [module(params as never), module(params as never)].map(({ probe }) =>
        probe.questions.map((question) =>
          question.kind === "batch"
            ? [question.batch.name, question.batch.render([question.key]).script.text]
            : question.script.text,
        ),
      );
      expect(other).toEqual(one);
    }
  });
});
