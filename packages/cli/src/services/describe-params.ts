import { Secret } from "@keybuzz/runner";
import * as z from "zod";

/** A param, or a field of one, as its schema describes it. */
export interface ParamDoc {
  readonly name: string;
  /** `string`, `"present" | "absent"`, `string[]`, `object` (with `fields`), ... */
  readonly type: string;
  readonly required: boolean;
  /** As it would be written; undefined where there is none. */
  readonly default: string | undefined;
  readonly description: string;
  /** What an object, or each object of a list, is made of. */
  readonly fields: readonly ParamDoc[];
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The params that a schema describes, in its order. */
export function describeParams(params: z.ZodObject): readonly ParamDoc[] {
  const schema = z.toJSONSchema(params, {
    io: "input",
    unrepresentable: "any",
    // Instances of a class (Secret, Sh, URL) are what JSON Schema has no word for.
    override: ({ zodSchema, jsonSchema }) => {
      const expected = zodSchema._zod.bag["Class"];
      if (typeof expected === "function") jsonSchema.title = expected === Secret ? "secret" : expected.name;
    },
  });
  return describeFields(schema);
}

function describeFields(schema: JsonSchema): readonly ParamDoc[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const field = asSchema(property);
    return {
      name,
      type: renderType(field),
      required: required.has(name),
      default: field.default === undefined ? undefined : JSON.stringify(field.default),
      description: field.description ?? "",
      fields: describeFields(field.type === "array" ? itemOf(field) : field),
    };
  });
}

function asSchema(schema: JsonSchema | boolean | undefined): JsonSchema {
  return typeof schema === "object" ? schema : {};
}

function itemOf({ items }: JsonSchema): JsonSchema {
  return Array.isArray(items) ? {} : asSchema(items);
}

function renderType(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return [...new Set(options.map((option) => renderType(asSchema(option))))].join(" | ");
  if (schema.type === "array") {
    const item = renderType(itemOf(schema));
    return item.includes(" ") ? `(${item})[]` : `${item}[]`;
  }
  if (schema.type === "object") return renderObject(schema);
  if (typeof schema.type === "string") return schema.type === "integer" ? "whole number" : schema.type;
  return "any";
}

/** An object is told by its fields; a record by what its values are. */
function renderObject({ properties, additionalProperties }: JsonSchema): string {
  const values = properties === undefined ? additionalProperties : undefined;
  return typeof values === "object" ? `{ NAME: ${renderType(values)} }` : "object";
}
