import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import { CommandLineError } from "../usage-error.ts";

/** What the TypeScript compiler says of one place. */
export interface Diagnostic {
  /** Absolute; undefined where it concerns no file. */
  readonly file: string | undefined;
  /** From 1; 0 without a file. */
  readonly line: number;
  readonly column: number;
  /** Like `TS2322`. */
  readonly code: string;
  /** The first line says what is wrong, the rest why. */
  readonly message: string;
}

const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

const Manifest = z.object({ bin: z.object({ tsc: z.string() }) });

/** Where a project has neither of its own: what a playbook needs. */
const DEFAULTS = {
  target: "ES2024",
  lib: ["ES2024"],
  module: "NodeNext",
  strict: true,
  skipLibCheck: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
};

/**
 * Checks the types of one file and all that it imports, by the project's own compiler and compiler options. What has not
 * changed since the last time is not checked again: the compiler's notes on it are kept in `node_modules/.cache`.
 * @throws CommandLineError where the project has no compiler
 */
export async function checkTypes(file: string): Promise<readonly Diagnostic[]> {
  const tsc = findCompiler(file);
  const config = writeConfig(file);
  const { output, failure } = await runCompiler(tsc, ["-p", config, "--pretty", "false"], dirname(file));
  const found = parseDiagnostics(output, dirname(file));
  if (found.length > 0 || failure === undefined) return found;
  throw new CommandLineError(`the TypeScript compiler failed: ${failure}`, {
    detail: output.slice(-2000) || undefined,
  });
}

/** The project's compiler: the one that an import from `file` finds. */
function findCompiler(file: string): string {
  try {
    const manifest = createRequire(file).resolve("typescript/package.json");
    return join(dirname(manifest), Manifest.parse(JSON.parse(readFileSync(manifest, "utf8"))).bin.tsc);
  } catch (cause) {
    throw new CommandLineError("types cannot be checked: the project has no TypeScript compiler", {
      detail: `looked for the package typescript from ${dirname(file)} upwards`,
      hint: "npm install --save-dev typescript; or --no-types, to check the rest alone",
      cause,
    });
  }
}

/** A config for this one file beside the compiler's notes on it: the compiler takes either a config or files. */
function writeConfig(file: string): string {
  const base = upwards(dirname(file), "tsconfig.json");
  const modules = upwards(dirname(file), "node_modules") ?? join(dirname(file), "node_modules");
  const folder = join(modules, ".cache", "keybuzz");
  const name = `check-${createHash("sha256").update(file).digest("hex").slice(0, 16)}`;
  const config = {
    ...(base === undefined ? {} : { extends: base }),
    compilerOptions: {
      ...(base === undefined ? DEFAULTS : {}),
      composite: false,
      incremental: true,
      noEmit: true,
      tsBuildInfoFile: join(folder, `${name}.tsbuildinfo`),
    },
    files: [file],
    include: [],
  };
  const path = join(folder, `${name}.json`);
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify(config, null, 2);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
  return path;
}

function upwards(from: string, name: string): string | undefined {
  const path = join(from, name);
  if (existsSync(path)) return path;
  return dirname(from) === from ? undefined : upwards(dirname(from), name);
}

function runCompiler(
  tsc: string,
  argv: readonly string[],
  cwd: string,
): Promise<{ readonly output: string; readonly failure: string | undefined }> {
  const options = { cwd, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  return new Promise((done) => {
    execFile(process.execPath, [tsc, ...argv], options, (error, stdout, stderr) => {
      const failure =
        error === null ? undefined : error.killed ? `no end within ${TIMEOUT_MS / 1000} s` : error.message;
      done({ output: `${stdout}${stderr}`, failure });
    });
  });
}

/** Reads `FILE(LINE,COLUMN): error CODE: TEXT`, with what follows indented. */
export function parseDiagnostics(output: string, directory: string): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const line of output.split("\n")) {
    const [, file, row, column, code, message] =
      /^(?:(.+?)\((\d+),(\d+)\): )?error (TS\d+): (.*)$/.exec(line.trimEnd()) ?? [];
    const last = found.at(-1);
    if (code !== undefined && message !== undefined) {
      found.push({
        file: file === undefined ? undefined : resolve(directory, file),
        line: Number(row ?? 0),
        column: Number(column ?? 0),
        code,
        message,
      });
    } else if (last !== undefined && /^\s+\S/.test(line)) {
      found[found.length - 1] = { ...last, message: `${last.message}\n${line.trimEnd()}` };
    }
  }
  return found;
}
