import { readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { Action } from "../action.ts";
import type { Module, ModuleSpec } from "../module.ts";
import { PLACE_FUNCTIONS } from "../place.ts";
import { type Output, type Probe, type Touched, Unmet } from "../probe.ts";
import { Secret } from "../secret.ts";
import { Sh } from "../sh.ts";
import { Sql } from "../sql.ts";
import { diffStates, equalValues, type State } from "../state.ts";
import { readCase } from "./cases.ts";

/** A recorded answer: `{ params, outputs, state }`, or `unmet` or `error` (a part of the message) in place of `state`. */
interface ProbeCase {
  params: unknown;
  outputs: Partial<Output>[];
  state?: State | null;
  unmet?: string;
  error?: string;
}

/** A decision: `{ params, state, pending?, diff, outcome, actions }`. */
interface PlanCase {
  params: unknown;
  state: State | null;
  /** Resources that earlier tasks will still change, as check mode sees them. */
  pending?: string[];
  diff?: unknown;
  outcome?: "ok" | "changed" | "unknown";
  actions?: unknown;
  /** With `unknown`: why. */
  reason?: string;
}

const UPDATE = process.env["KB_UPDATE_CASES"] === "1";

/**
 * The shared conformance suite of a module. Reads `cases/probe-*.json` and `cases/plan-*.json` beside the test, and
 * adds what must hold for every module: described params, idempotent `desired`, no action in the wanted state, the same
 * answer for the same input, no secret in any rendered text.
 *
 * In a case, a secret is written as `{ "$secret": "text" }`, shell text as `{ "$sh": "text" }`, SQL text
 * as `{ "$sql": "text" }`. `KB_UPDATE_CASES=1` fills in what a case expects from what the module does now; read the
 * difference before it is committed.
 *
 * @example moduleSuite(apt, import.meta.url)
 */
export function moduleSuite<P extends z.ZodObject, S extends State>(module: Module<P, S>, testUrl: string): void {
  const { spec } = module;
  const folder = join(dirname(fileURLToPath(testUrl)), "cases");
  // A module's cases may stand beside those of its siblings: cases/MODULE/*.json or cases/*.json.
  const files = listCases(folder, spec.name);
  describe(spec.name, () => {
    it("describes every param", () => {
      const undescribed = Object.entries(spec.params.shape).filter(
        ([, schema]) => !z.globalRegistry.get(schema)?.description,
      );
      expect(undescribed.map(([name]) => name)).toEqual([]);
    });
    it("has cases of both kinds", () => {
      expect(files.some((file) => basename(file).startsWith("probe-"))).toBe(true);
      expect(files.some((file) => basename(file).startsWith("plan-"))).toBe(true);
    });
    for (const file of files) {
      const title = basename(file, ".json");
      if (title.startsWith("probe-")) it(title, () => runProbeCase(spec, file));
      if (title.startsWith("plan-")) it(title, () => runPlanCase(module, file));
    }
  });
}

function listCases(folder: string, name: string): string[] {
  const own = join(folder, name);
  const from = (dir: string): string[] => {
    try {
      return readdirSync(dir)
        .filter((file) => file.endsWith(".json"))
        .sort()
        .map((file) => join(dir, file));
    } catch {
      return [];
    }
  };
  const nested = from(own);
  return nested.length > 0 ? nested : from(folder);
}

function runProbeCase<P extends z.ZodObject, S extends State>(spec: ModuleSpec<P, S>, file: string): void {
  const testCase = readCase<ProbeCase>(file);
  const params = spec.params.parse(testCase.params);
  const probe = spec.probe(params);
  expect(probe.questions, "one recorded output for each question").toHaveLength(testCase.outputs.length);
  const outputs = testCase.outputs.map((output): Output => ({ stdout: "", stderr: "", exitCode: 0, ...output }));
  const got = attempt(probe, outputs);
  if (UPDATE) {
    updateCase(file, testCase, ["state", "unmet", "error"], got);
    return;
  }
  if (testCase.error !== undefined) expect(got.error).toContain(testCase.error);
  else expect(revealAll(got)).toEqual(revealAll(pick(testCase, ["state", "unmet"])));
  expect(questionTexts(spec.probe(params)), "the same question for the same params").toEqual(questionTexts(probe));
}

function attempt<S extends State>(
  probe: Probe<S | null | Unmet>,
  outputs: Output[],
): { state?: State | null; unmet?: string; error?: string } {
  try {
    const state = probe.parse(outputs);
    return state instanceof Unmet ? { unmet: state.reason } : { state };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function runPlanCase<P extends z.ZodObject, S extends State>(module: Module<P, S>, file: string): void {
  const { spec } = module;
  const testCase = readCase<PlanCase>(file);
  const params = spec.params.parse(testCase.params);
  const pending = new Set(testCase.pending ?? []);
  const touched: Touched = { has: (resource) => pending.has(resource) };
  // The case's state was written for this module; its shape is held by the probe cases.
  const found = testCase.state as S | null;
  const current = pending.size > 0 && spec.foresee !== undefined ? spec.foresee(params, found, touched) : found;
  if (current instanceof Unmet) {
    if (UPDATE) updateCase(file, testCase, ["outcome", "reason"], { outcome: "unknown", reason: current.reason });
    else expect({ outcome: "unknown", reason: current.reason }).toEqual(pick(testCase, ["outcome", "reason"]));
    return;
  }
  const wanted = spec.desired(params, current);
  const differs = !equalValues(current, wanted);
  const plan = (): readonly Action[] => (differs ? spec.plan({ params, current, wanted }) : []);
  const got = {
    diff: diffStates(current, wanted).map(({ path, before, after }) => ({
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    })),
    outcome: differs ? ("changed" as const) : ("ok" as const),
    actions: plan().map(renderAction),
  };
  if (UPDATE) {
    updateCase(file, testCase, ["diff", "outcome", "actions"], got);
    return;
  }
  expect(revealAll(got)).toEqual(revealAll(pick(testCase, ["diff", "outcome", "actions"])));
  expect(plan().map(renderAction), "the same plan for the same input").toEqual(got.actions);
  expect(equalValues(spec.desired(params, wanted), wanted), "desired(desired) equals desired").toBe(true);
  expect(spec.id(params), "an id for labels").not.toBe("");
  expectNoSecret({ params, current }, [spec.id(params), ...got.actions.map((action) => JSON.stringify(action))]);
}

function renderAction(action: Action): Record<string, unknown> {
  switch (action.kind) {
    case "exec":
      return { ...action, script: showScript(action.script) };
    case "write":
      return {
        ...action,
        content: action.content instanceof Uint8Array ? `<${action.content.length} bytes>` : action.content,
        ...(action.validate === undefined ? {} : { validate: action.validate.text }),
      };
    case "wait":
      return {
        ...action,
        until: action.until.text,
        ...(action.onTimeout === undefined ? {} : { onTimeout: action.onTimeout.text }),
      };
    case "retry":
      return { ...action, actions: action.actions.map(renderAction) };
  }
}

/** The functions that many actions begin with are told by one line of a case. */
function showScript(script: Sh): string {
  return script.text.replace(PLACE_FUNCTIONS.text, "# kb_enter, kb_attributes");
}

function questionTexts(probe: Probe<unknown>): string[] {
  return probe.questions.map((question) =>
    question.kind === "script" ? question.script.text : `${question.batch.name} ${question.key}`,
  );
}

function expectNoSecret(secrets: unknown, texts: string[]): void {
  for (const secret of collectSecrets(secrets)) {
    if (secret.length < 4) continue;
    for (const text of texts) expect(text, "no secret in rendered text").not.toContain(secret);
  }
}

function collectSecrets(value: unknown): string[] {
  if (value instanceof Secret) return [value.reveal()];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(collectSecrets);
}

function revealAll(value: unknown): unknown {
  if (value instanceof Secret) return { $secret: value.reveal() };
  if (value instanceof Sh) return { $sh: value.text };
  if (value instanceof Sql) return { $sql: value.reveal() };
  if (Array.isArray(value)) return value.map(revealAll);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, revealAll(item)]),
  );
}

function pick<T extends object>(from: T, keys: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]])) as Partial<T>;
}

function updateCase<T extends object>(file: string, testCase: T, expected: readonly (keyof T)[], got: object): void {
  const kept = Object.fromEntries(Object.entries(testCase).filter(([key]) => !expected.includes(key as keyof T)));
  writeFileSync(file, `${JSON.stringify(revealAll({ ...kept, ...got }), null, 2)}\n`);
}
