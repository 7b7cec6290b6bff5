import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as modules from "@keybuzz/modules";
import { type Module, Secret, suggest } from "@keybuzz/runner";
import * as z from "zod";
import { CommandLineError } from "./usage-error.ts";

/** A param, as its schema describes it. */
export interface ParamDoc {
  readonly name: string;
  /** `string`, `"present" | "absent"`, `string[]`, ... */
  readonly type: string;
  readonly required: boolean;
  /** As it would be written; undefined where there is none. */
  readonly default: string | undefined;
  readonly description: string;
}

/** A module, as its own description tells. */
export interface ModuleDoc {
  readonly name: string;
  readonly summary: string;
  /** True for one that proves or awaits, and never changes anything. */
  readonly gate: boolean;
  readonly params: readonly ParamDoc[];
  /** Params that the module is tested with, as TypeScript. */
  readonly example: string | undefined;
}

/** What {@link describeModule} reads of a module. */
export type DescribedModule = Pick<Module, "spec">;

/** Every module, by name. */
export function listModules(): readonly DescribedModule[] {
  return Object.values(modules)
    .filter((value): value is typeof value & DescribedModule => typeof value === "function" && "spec" in value)
    .toSorted((a, b) => a.spec.name.localeCompare(b.spec.name));
}

/** The module of this name, in snake_case or as it is imported. @throws CommandLineError with the nearest name */
export function findModule(name: string): DescribedModule {
  const wanted = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const known = listModules();
  const found = known.find(({ spec }) => spec.name === wanted);
  if (found !== undefined) return found;
  throw new CommandLineError(`there is no module ${name}`, {
    hint: suggest(
      wanted,
      known.map(({ spec }) => spec.name),
    ),
  });
}

/** What a module is for and what its params are, read from its schema. */
export function describeModule({ spec }: DescribedModule): ModuleDoc {
  const schema = z.toJSONSchema(spec.params, {
    io: "input",
    unrepresentable: "any",
    // Instances of a class (Secret, Sh, URL) are what JSON Schema has no word for.
    override: ({ zodSchema, jsonSchema }) => {
      const expected = zodSchema._zod.bag["Class"];
      if (typeof expected === "function") jsonSchema.title = expected === Secret ? "secret" : expected.name;
    },
  });
  const required = new Set(schema.required ?? []);
  return {
    name: spec.name,
    summary: spec.summary,
    gate: spec.gate === true,
    params: Object.entries(schema.properties ?? {}).map(([name, property]): ParamDoc => {
      const param = typeof property === "boolean" ? {} : property;
      return {
        name,
        type: renderType(param),
        required: required.has(name),
        default: param.default === undefined ? undefined : JSON.stringify(param.default),
        description: param.description ?? "",
      };
    }),
    example: renderExample(spec.name),
  };
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

function renderType(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return [...new Set(options.map(renderType))].join(" | ");
  if (schema.type === "array") return renderList(schema.items);
  if (schema.type === "object") return renderObject(schema);
  if (typeof schema.type === "string") return schema.type === "integer" ? "whole number" : schema.type;
  return "any";
}

function renderList(items: JsonSchema["items"]): string {
  const item = typeof items === "object" && !Array.isArray(items) ? renderType(items) : "any";
  return item.includes(" ") ? `(${item})[]` : `${item}[]`;
}

function renderObject(schema: JsonSchema): string {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length > 0) {
    const required = new Set(schema.required ?? []);
    const inside = fields.map(([name, field]) => {
      const type = typeof field === "boolean" ? "any" : renderType(field);
      return `${name}${required.has(name) ? "" : "?"}: ${type}`;
    });
    return `{ ${inside.join(", ")} }`;
  }
  const values = schema.additionalProperties;
  return typeof values === "object" ? `{ NAME: ${renderType(values)} }` : "object";
}

/** From the module's own test cases, so that it is known to work; none where the package came without them. */
function renderExample(name: string): string | undefined {
  const source = dirname(fileURLToPath(import.meta.resolve("@keybuzz/modules")));
  const folder = join(source, name.replaceAll("_", "-"), "cases");
  try {
    const file = readdirSync(folder).find((entry) => /^plan-.*\.json$/.test(entry));
    if (file === undefined) return undefined;
    const { params } = z
      .object({ params: z.record(z.string(), z.unknown()) })
      .parse(JSON.parse(readFileSync(join(folder, file), "utf8")));
    const identifier = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return `${identifier}(${renderLiteral(params)})`;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** A value as TypeScript, on one line. */
function renderLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(renderLiteral).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    return `${name}: ${renderLiteral(field)}`;
  });
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
