import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

const MAX_LINE = 96;

const TestCase = z.object({ params: z.record(z.string(), z.unknown()) });

const cwd = dirname(fileURLToPath(import.meta.resolve("@keybuzz/modules")));

/** The file that defines a module, from the folder of all of them; undefined where it is not found. */
export function moduleSource(name: string): string | undefined {
  const files = globSync("*/*.{ts,js}", { cwd }).filter((file) => !/\.(?:test|d)\.ts$/.test(file));
  const defines = new RegExp(`^\\s+name: "${name}",$|"${name}"`, "m");
  const near = files.filter((file) => defines.test(readFileSync(join(cwd, file), "utf8")));
  // Where several speak of it, the one that is called like it, or like a part of its name.
  const isCalledSo = (file: string) =>
    name.endsWith(
      basename(file)
        .replace(/\.[jt]s$/, "")
        .replaceAll("-", "_"),
    );
  const found = near.find(isCalledSo) ?? near[0];
  return found === undefined ? undefined : join(cwd, found);
}

/**
 * Uses of a module, as TypeScript: params from its own test cases, so that they are known to work, and the fullest after the
 * first. None where the package came without them.
 */
export function moduleExamples(name: string): readonly string[] {
  const places = [`${name.replaceAll("_", "-")}/cases/plan-*.json`, `*/cases/${name}/plan-*.json`];
  const calls = globSync(places, { cwd })
    .toSorted()
    .map((file) => TestCase.parse(JSON.parse(readFileSync(join(cwd, file), "utf8"))).params)
    .map((params) => ({ size: Object.keys(params).length, text: renderCall(name, params) }));
  const [first] = calls;
  if (first === undefined) return [];
  const fullest = calls.reduce((most, call) => (call.size > most.size ? call : most));
  return fullest === first ? [first.text] : [first.text, fullest.text];
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
