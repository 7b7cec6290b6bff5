import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describeIssues, ParamsError, Secret, Sh, Sql, suggest } from "@keybuzz/runner";
import * as z from "zod";
import { CommandLineError } from "../usage-error.ts";

/** Params by their names, as a module takes them. */
export type ParamsInput = Readonly<Record<string, unknown>>;

const SECRET_NAME = /pass(word|phrase)?$|secret|token/i;

/**
 * Params of a module from `KEY=VALUE` words, each read in the type that the schema has for it: a number, a boolean, a
 * list (`a,b` or JSON), shell text; `a.b=VALUE` for a field of an object, `@FILE` for what a file holds (`@@` for an @).
 * @throws ParamsError for an unknown key, with the nearest; for a value of the wrong type
 * @throws CommandLineError for a secret that is written out: every user of this machine can read arguments
 */
export function parseWords(
  module: { readonly name: string; readonly params: z.ZodType },
  words: readonly string[],
  directory: string,
): ParamsInput {
  const input: Record<string, unknown> = {};
  for (const word of words) {
    const split = word.indexOf("=");
    if (split < 1) {
      throw new CommandLineError(`"${word}" is no param`, {
        hint: `write KEY=VALUE; kb module show ${module.name} tells what it takes`,
      });
    }
    const key = word.slice(0, split);
    const { path, schema } = findParam(module, key);
    const value = readValue(word.slice(split + 1), key, directory);
    put(input, path, typed(schema, value, `${module.name}: ${key}`), key);
  }
  return input;
}

/** Follows `a.b` through the schema. What follows a record is one of its keys, dots and all. */
function findParam(
  module: { readonly name: string; readonly params: z.ZodType },
  key: string,
): { readonly path: readonly string[]; readonly schema: z.ZodType } {
  const path: string[] = [];
  let schema = module.params;
  let rest = key;
  while (rest !== "") {
    const inside = unwrap(schema);
    if (inside instanceof z.ZodRecord) return { path: [...path, rest], schema: asType(inside.valueType) };
    const dot = rest.indexOf(".");
    const name = dot < 0 ? rest : rest.slice(0, dot);
    const fields = fieldsOf(inside);
    const field = fields.get(name);
    if (field === undefined) {
      const whole = path.length === 0 ? module.name : `${module.name}: ${path.join(".")}`;
      throw new ParamsError(`${whole} has no param "${name}"`, { hint: suggest(name, fields.keys()) });
    }
    path.push(name);
    schema = field;
    rest = dot < 0 ? "" : rest.slice(dot + 1);
  }
  return { path, schema };
}

/** What an object, or any of several, may have. */
function fieldsOf(schema: z.ZodType): ReadonlyMap<string, z.ZodType> {
  if (schema instanceof z.ZodObject) {
    return new Map(Object.entries(schema.shape).map(([name, field]) => [name, asType(field)]));
  }
  if (!(schema instanceof z.ZodUnion)) return new Map();
  const fields = new Map<string, z.ZodType>();
  for (const option of schema.options) {
    for (const [name, field] of fieldsOf(unwrap(asType(option)))) {
      const known = fields.get(name);
      fields.set(name, known === undefined ? field : z.union([known, field]));
    }
  }
  return fields;
}

/** The schema of the value itself, without what says that it may be left out or is turned into something else. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(asType(schema.in));
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(asType(schema.unwrap()));
  }
  return schema;
}

/** Erasure point: zod's own fields are typed as its core's types, of which these classes are the only ones in use. */
function asType(schema: z.core.$ZodType): z.ZodType {
  return schema as z.ZodType;
}

function readValue(text: string, key: string, directory: string): string | Secret {
  const secret = SECRET_NAME.test(key);
  if (text.startsWith("@@")) return text.slice(1);
  if (!text.startsWith("@")) {
    if (!secret) return text;
    throw new CommandLineError(`${key} is written out, where every user of this machine can read it`, {
      hint: `put it into a file for you alone, and write ${key}=@FILE`,
    });
  }
  const file = resolve(directory, text.slice(1));
  try {
    const content = readFileSync(file, "utf8");
    return secret ? new Secret(content.replace(/\r?\n$/, "")) : content;
  } catch (cause) {
    throw new CommandLineError(`${key}: cannot read ${file}`, { detail: String(cause), cause });
  }
}

/** The first reading of a text that the schema takes. @throws ParamsError in the schema's words where it takes none */
function typed(schema: z.ZodType, value: string | Secret, what: string): unknown {
  const readings = value instanceof Secret ? [value] : readingsOf(value);
  const fitting = readings.find((reading) => schema.safeParse(reading).success);
  if (fitting !== undefined) return fitting;
  const refused = readings.map((reading) => schema.safeParse(reading).error).find((error) => error !== undefined);
  throw new ParamsError(`${what}: this value does not fit`, {
    detail: refused === undefined ? undefined : describeIssues(refused),
  });
}

/** What a text may stand for, the likeliest first. A text is itself before it is anything else, but for JSON's brackets. */
function readingsOf(text: string): readonly unknown[] {
  const json = parseJson(text);
  const structured = typeof json === "object" && json !== null;
  const items = text.split(",").map((item) => item.trim());
  const list = text === "" ? [] : items;
  return [
    ...(structured ? [json] : []),
    text,
    ...(json === undefined || structured ? [] : [json]),
    ...(/^(yes|no)$/i.test(text) ? [/^yes$/i.test(text)] : []),
    list,
    list.map((item) => parseJson(item) ?? item),
    // The operator's own words are shell or SQL where a module asks for that.
    Sh.unsafe(text),
    Sql.unsafe(text, false),
  ];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function put(input: Record<string, unknown>, path: readonly string[], value: unknown, key: string): void {
  const [name = "", ...rest] = path;
  const known = input[name];
  if (rest.length > 0) {
    const inner = isRecord(known) ? known : {};
    input[name] = inner;
    put(inner, rest, value, key);
    return;
  }
  if (known !== undefined) throw new CommandLineError(`${key} is given twice`);
  input[name] = value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
