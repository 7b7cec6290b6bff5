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
  /** What else its value has to be, in a few words: `1 to 65535`, `like /^[0-7]+$/`. */
  readonly limits: string | undefined;
  readonly description: string;
  /** What an object, or each object of a list, is made of. */
  readonly fields: readonly ParamDoc[];
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A longer regular expression tells a reader less than the description does. */
const MAX_PATTERN = 40;

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
      limits: renderLimits(field),
      description: field.description ?? "",
      fields: fieldsOf(field.type === "array" ? itemOf(field) : field),
    };
  });
}

/** Of an object its fields; of one of several kinds of object those of all, each with the kinds that have it. */
function fieldsOf(schema: JsonSchema): readonly ParamDoc[] {
  const kinds = (schema.anyOf ?? schema.oneOf ?? []).map(asSchema).filter(({ type }) => type === "object");
  if (kinds.length === 0) return describeFields(schema);
  const found = new Map<string, { readonly field: ParamDoc; readonly types: string[]; readonly kinds: string[] }>();
  for (const kind of kinds) {
    for (const field of describeFields(kind)) {
      const known = found.get(field.name) ?? { field, types: [], kinds: [] };
      found.set(field.name, known);
      if (!known.types.includes(field.type)) known.types.push(field.type);
      known.kinds.push(nameOfKind(kind));
    }
  }
  return [...found.values()].map(({ field, types, kinds: having }) => {
    const always = having.length === kinds.length;
    const only = always ? "" : `With ${having.join(", ")}. `;
    return {
      ...field,
      type: types.join(" | "),
      required: field.required && always,
      description: only + field.description,
    };
  });
}

/** What tells a kind of object from the others: its field with a fixed value. */
function nameOfKind({ properties }: JsonSchema): string {
  const fixed = Object.entries(properties ?? {}).find(([, field]) => asSchema(field).const !== undefined);
  return fixed === undefined ? "another kind" : `${fixed[0]} ${JSON.stringify(asSchema(fixed[1]).const)}`;
}

function renderLimits(schema: JsonSchema): string | undefined {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems, pattern } = schema;
  const limits = [
    renderRange(minimum, maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum, ""),
    exclusiveMinimum === undefined ? undefined : `more than ${exclusiveMinimum}`,
    renderRange(minLength, maxLength, " characters"),
    renderRange(minItems, maxItems, " items"),
    pattern === undefined || pattern.length > MAX_PATTERN ? undefined : `like /${pattern}/`,
  ].filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : limits.join(", ");
}

function renderRange(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  const from = least === Number.MIN_SAFE_INTEGER ? undefined : least;
  if (from === 1 && most === undefined && unit !== "") return "not empty";
  if (from === undefined) return most === undefined ? undefined : `at most ${most}${unit}`;
  return most === undefined ? `at least ${from}${unit}` : `${from} to ${most}${unit}`;
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
