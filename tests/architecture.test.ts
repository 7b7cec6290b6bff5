import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

/** Which places may import which others; a place always may import itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  runner: [],
  modules: ["runner"],
  lab: [],
  cli: ["runner", "modules", "lab"],
  roles: ["runner", "modules"],
  playbooks: ["roles", "modules", "runner"],
  inventories: ["runner"],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

function sources(): readonly string[] {
  return globSync(["packages/*/{src,bin}/**/*.ts", "roles/**/*.ts", "playbooks/*.ts", "inventories/*.ts"], {
    cwd: ROOT,
  }).filter((file) => !file.endsWith(".test.ts") && !file.includes("node_modules"));
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => ({
    file,
    target: specifier.startsWith(".") ? relative(ROOT, resolve(ROOT, dirname(file), specifier)) : specifier,
  }));
}

/** `packages/runner/src/x.ts` and `@keybuzz/runner` are both `runner`; undefined for what is not ours. */
function placeOf(path: string): string | undefined {
  return /^(?:packages|@keybuzz)\/([a-z]+)/.exec(path)?.[1] ?? /^(roles|playbooks|inventories)\//.exec(path)?.[1];
}

const imports = sources().flatMap(importsOf);

it("finds the sources", () => {
  expect(imports.length).toBeGreaterThan(200);
});

it("imports only in the allowed direction", () => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [placeOf(file), placeOf(target)];
    return from !== undefined && to !== undefined && from !== to && !ALLOWED[from]?.includes(to);
  });
  expect(wrong).toEqual([]);
});

/** `packages/modules/src/apt/apt.ts` belongs to apt. A folder with recorded cases is a module; shared probes and params have none. */
function unitOf(path: string): string | undefined {
  const unit = /^packages\/modules\/src\/([^/]+)\//.exec(path)?.[1] ?? /^roles\/([^/]+)\//.exec(path)?.[1];
  return unit !== undefined && isUnit(path, unit) ? unit : undefined;
}

function isUnit(path: string, unit: string): boolean {
  return path.startsWith("roles/") || existsSync(join(ROOT, "packages/modules/src", unit, "cases"));
}

it("keeps modules from importing each other, and roles too", () => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [unitOf(file), unitOf(target)];
    return from !== undefined && to !== undefined && from !== to;
  });
  expect(wrong).toEqual([]);
});

it("leaves child processes and sockets to the transports and the lab", () => {
  const touching = /^(?:node:(?:child_process|net|tls|dgram|http|https)|ssh2|mysql2.*|zx)$/;
  // `kb check` starts the project's TypeScript compiler, which is a program of its own.
  const may = ["packages/runner/src/transport/", "packages/lab/", "packages/cli/src/services/check/compiler.ts"];
  const wrong = imports.filter(
    ({ file, target }) => touching.test(target) && !may.some((path) => file.startsWith(path)),
  );
  expect(wrong).toEqual([]);
});

it("lets nothing but the engine know of modes", () => {
  const readers = sources().filter(
    (file) =>
      /^(?:packages\/modules|roles|playbooks)\//.test(file) &&
      /\b(?:checkMode|dryRun|mode === "(?:check|apply)")/.test(readFileSync(join(ROOT, file), "utf8")),
  );
  expect(readers).toEqual([]);
});
