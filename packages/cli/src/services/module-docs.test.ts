import { readFileSync } from "node:fs";
import { defineModule, exec, known, secretParam, sh } from "@keybuzz/runner";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { moduleLines, wrap } from "../reporters/module-lines.ts";
import { makePaint } from "../reporters/style.ts";
import { describeParams } from "./describe-params.ts";
import { describeModule, findModule, listModules } from "./module-docs.ts";
import { renderCall } from "./module-example.ts";

const thing = defineModule({
  name: "thing",
  summary: "Something that hosts have.",
  params: z.strictObject({
    name: z.string().describe("Its name"),
    state: z.enum(["present", "absent"]).default("present").describe("Whether it should exist"),
    password: secretParam().optional().describe("Its password"),
    tags: z
      .array(z.union([z.string(), z.int()]))
      .default([])
      .describe("Words"),
    limits: z
      .strictObject({ cpu: z.number().describe("Cores"), memoryMib: z.int().optional() })
      .optional()
      .describe("Limits"),
    labels: z.record(z.string(), z.string()).optional().describe("Labels"),
  }),
  id: ({ name }) => name,
  probe: () => known(null),
  desired: () => null,
  plan: () => [exec(sh`true`)],
});

test("a module's params are told from its schema", () => {
  expect(
    describeModule(thing).params.map(({ name, type, required, default: value }) => [name, type, required, value]),
  ).toEqual([
    ["name", "string", true, undefined],
    ["state", '"present" | "absent"', false, '"present"'],
    ["password", "secret | string", false, undefined],
    ["tags", "(string | whole number)[]", false, "[]"],
    ["limits", "object", false, undefined],
    ["labels", "{ NAME: string }", false, undefined],
  ]);
});

test("it reads well", () => {
  const lines = moduleLines(describeModule(thing), makePaint(false));
  expect(lines.slice(-10)).toEqual([
    "  limits  object  optional",
    "    Limits",
    "      cpu  number  required",
    "        Cores",
    "      memoryMib  whole number  optional",
    "  labels  { NAME: string }  optional",
    "    Labels",
    "",
    "check mode",
    "  Tells exactly what a run would change, field by field.",
  ]);
  expect(lines.slice(0, 8)).toEqual([
    "thing",
    "  Something that hosts have.",
    "",
    "params",
    "  name  string  required",
    "    Its name",
    '  state  "present" | "absent"  optional, default "present"',
    "    Whether it should exist",
  ]);
});

test("what a value has to be is told, and what each kind of object has", () => {
  const params = z.strictObject({
    port: z.int().min(1).max(65535),
    name: z.string().min(1),
    mode: z.string().regex(/^[0-7]+$/),
    waitMs: z.int().min(0).optional(),
    login: z.discriminatedUnion("via", [
      z.strictObject({ via: z.literal("tcp"), port: z.int().describe("Its port") }),
      z.strictObject({ via: z.literal("socket"), user: z.string() }),
    ]),
  });
  const told = describeParams(params);
  expect(told.map(({ limits }) => limits)).toEqual([
    "1 to 65535",
    "not empty",
    "like /^[0-7]+$/",
    "at least 0",
    undefined,
  ]);
  expect(
    told.at(-1)?.fields.map(({ name, type, required, description }) => [name, type, required, description]),
  ).toEqual([
    ["via", '"tcp" | "socket"', true, ""],
    ["port", "whole number", false, 'With via "tcp". Its port'],
    ["user", "string", false, 'With via "socket". '],
  ]);
});

describe("every module", () => {
  test.each(listModules().map((module) => [module.spec.name, module] as const))(
    "%s tells all of itself",
    (_, module) => {
      const doc = describeModule(module);
      expect(doc.summary).not.toBe("");
      expect(doc.params.filter(({ description }) => description === "")).toEqual([]);
      expect(doc.checkMode).not.toBe("");
      expect(readFileSync(doc.source ?? "", "utf8")).toContain(`"${doc.name}"`);
    },
  );

  test("shows params that it is tested with, as TypeScript", () => {
    expect(describeModule(findModule("filesystem")).examples[0]).toBe('filesystem({ dev: "/dev/sdb", fstype: "xfs" })');
    expect(describeModule(findModule("proxysql_servers")).examples[0]).toMatch(/^proxysqlServers\(\{\n {2}\w+: .*,\n/);
  });

  test("is found by its name, and as it is imported", () => {
    expect(findModule("wait_for")).toBe(findModule("waitFor"));
    expect(() => findModule("filesystm")).toThrow("there is no module filesystm");
  });
});

test("an example is TypeScript, with secrets, shell and SQL text as they are written", () => {
  expect(renderCall("wait_for", { test: { $sh: "pgrep x" }, "odd-key": [{ $secret: "s" }, {}] })).toBe(
    'waitFor({ test: sh`pgrep x`, "odd-key": [new Secret("s"), {}] })',
  );
});

test("long texts are broken at spaces", () => {
  expect(wrap("a bb  ccc dddddd e", 5)).toEqual(["a bb", "ccc", "dddddd", "e"]);
});
