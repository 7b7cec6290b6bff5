import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

const MAX_LINE = 96;

const TestCase = z.object({ params: z.record(z.string(), z.unknown()) });

/**
 * A use of a module, as TypeScript: params from its own test cases, so that they are known to work. Undefined where the
 * package came without them.
 */
export function moduleExample(name: string): string | undefined {
  const cwd = dirname(fileURLToPath(import.meta.resolve("@keybuzz/modules")));
  const places = [`${name.replaceAll("_", "-")}/cases/plan-*.json`, `*/cases/${name}/plan-*.json`];
  const [file] = globSync(places, { cwd }).toSorted();
  if (file === undefined) return undefined;
  const { params } = TestCase.parse(JSON.parse(readFileSync(join(cwd, file), "utf8")));
  return renderCall(name, params);
}

/** A module called with params: on one line, or where that is long, a param a line. */
export function renderCall(name: string, params: Readonly<Record<string, unknown>>): string {
  const identifier = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const line = `${identifier}(${renderLiteral(params)})`;
  if (line.length <= MAX_LINE) return line;
  const fields = Object.entries(params).map((field) => `  ${renderField(field)},\n`);
  return `${identifier}({\n${fields.join("")}})`;
}

function renderLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(renderLiteral).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value);
  const [first] = fields;
  if (first === undefined) return "{}";
  return renderMarked(first) ?? `{ ${fields.map(renderField).join(", ")} }`;
}

function renderField([key, value]: readonly [string, unknown]): string {
  return `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)}: ${renderLiteral(value)}`;
}

/** Test cases write secrets, shell and SQL text as `{ "$secret": "..." }`, `{ "$sh": "..." }`, `{ "$sql": "..." }`. */
function renderMarked([mark, text]: readonly [string, unknown]): string | undefined {
  if (mark === "$secret") return `new Secret(${JSON.stringify(text)})`;
  return mark === "$sh" || mark === "$sql" ? `${mark.slice(1)}\`${String(text)}\`` : undefined;
}
