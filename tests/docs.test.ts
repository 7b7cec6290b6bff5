import { execFile } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import * as modules from "@keybuzz/modules";
import * as runner from "@keybuzz/runner";
import { expect, it, vi } from "vitest";
import commands from "../packages/cli/src/commands/index.ts";
import { parseDiagnostics } from "../packages/cli/src/services/check/compiler.ts";

// Compilers on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });

const ROOT = resolve(import.meta.dirname, "..");
const DOCS = globSync(["docs/*.md", "README.md"], { cwd: ROOT }).toSorted();

interface Block {
  readonly doc: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

/** What a piece of code takes for granted: it is part of a role, a playbook or a program around the runner. */
const PRELUDE = `import { definePlaybook, type Groups, type Host, type Hosts, type Play, type Probe, secretParam, type Task } from "@keybuzz/runner";
import * as z from "zod";
export const WebHost = z.object({ port: z.number(), region: z.string(), cluster: z.string(), password: secretParam() });
export type Web = z.output<typeof WebHost>;
export declare const hosts: Hosts<Web>;
export declare const web: Hosts<Web>;
export declare const db: Hosts<Web>;
export declare const proxies: Hosts<Web>;
export declare const host: Host<Web>;
export declare const play: Play<{ readonly version: string }>;
export declare const groups: Groups<{ web: typeof WebHost }>;
export declare const isWriter: (host: Host<unknown>) => boolean;
export declare const synced: (host: Host<unknown>) => Probe<true | string>;
export declare const drain: (host: Host<unknown>) => readonly Task[];
export declare const ready: Task;
export declare const undrain: typeof drain;
export declare const restart: readonly Task[];
export declare const upgrade: readonly Task[];
export declare const rollback: readonly Task[];
export declare const unlock: readonly Task[];
export declare const tasks: readonly Task[];
export declare const params: Record<string, never>;
export declare const proxysql: (hosts: Hosts<unknown>, params: Record<string, never>) => Promise<void>;
export { definePlaybook, z };
`;
const GIVEN = [...PRELUDE.matchAll(/^export (?:declare )?const (\w+)/gm)].map((match) => match[1] ?? "").concat("z");

function blocksOf(doc: string): readonly Block[] {
  const text = readFileSync(join(ROOT, doc), "utf8");
  return [...text.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```$/gm)].map((match) => ({
    doc,
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[1] ?? "",
  }));
}

/**
 * A whole file stands as it is, under the path of its first line where that is one. A piece gets, on its first line, so
 * that lines stay what they are, what it uses and does not declare.
 */
function fileOf({ doc, line, code }: Block): { readonly path: string; readonly text: string } {
  const folder = basename(doc, ".md");
  const named = /^\/\/ ([\w./-]+\.ts)\n/.exec(code)?.[1];
  if (named !== undefined) return { path: join(folder, named), text: code };
  const path = join(folder, `line-${line}.ts`);
  if (/^import /m.test(code)) return { path, text: code };
  const used = (names: readonly string[]) =>
    names
      .filter((name) => new RegExp(`(?<!(?<!\\.\\.)\\.|[\\w"])${name}\\b(?!:)`).test(code) && !declares(code, name))
      .join(", ");
  const imports = [
    `import { ${used(Object.keys(modules))} } from "@keybuzz/modules";`,
    `import { ${used(Object.keys(runner).filter((name) => !(name in modules) && !GIVEN.includes(name)))} } from "@keybuzz/runner";`,
    `import { ${used(GIVEN)} } from "../prelude.ts";`,
  ];
  return { path, text: `${imports.join(" ")} ${code}` };
}

function declares(code: string, name: string): boolean {
  return new RegExp(
    `\\b(?:const|let|function)\\s+(?:\\{[^}=]*)?\\b${name}\\b|\\(\\{?[^()]*\\b${name}\\b[^()]*\\}?\\) =>|\\b${name} =>`,
  ).test(code);
}

it("shows code that compiles", async () => {
  const blocks = DOCS.flatMap(blocksOf);
  expect(blocks.length).toBeGreaterThan(10);
  const folder = mkdtempSync(join(tmpdir(), "kb-docs-"));
  try {
    const files = blocks.map((block) => ({ block, ...fileOf(block) }));
    for (const { path, text } of [...files, { path: "prelude.ts", text: PRELUDE }]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(ROOT, "tsconfig.base.json"), compilerOptions, include: ["**/*.ts"] }),
    );
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const argv = [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
    const ran = promisify(execFile)(process.execPath, argv, { cwd: folder, timeout: 200_000 });
    const { stdout } = await ran.catch((error: Error & { stdout: string }) => error);
    const wrong = parseDiagnostics(stdout, folder).map(({ file, line, message }) => {
      const found = files.find(({ path }) => join(folder, path) === file);
      return found === undefined
        ? `${file}: ${message}`
        : `${found.block.doc}:${found.block.line + line - 1}: ${message}`;
    });
    expect(wrong).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The command lines of a document: lines of code, pieces of code in a text, and what follows `lab run --`. */
function commandLinesOf(doc: string): readonly { readonly place: string; readonly words: readonly string[] }[] {
  return readFileSync(join(ROOT, doc), "utf8")
    .split("\n")
    .flatMap((text, index) =>
      [...text.matchAll(/(?:^ {4}|`|-- )(?:npx |\.\/)?kb (?=([^`]+))/g)].map((match) => {
        // What stands far to the right is said about the command.
        const [line = ""] = (match[1] ?? "").replaceAll(/'[^']*'/g, "TEXT").split(/ {2,}|[;#|]/);
        return { place: `${doc}:${index + 1}`, words: line.trim().split(/ +/) };
      }),
    );
}

it("shows commands and flags that there are", () => {
  const lines = DOCS.flatMap(commandLinesOf);
  expect(lines.length).toBeGreaterThan(10);
  const wrong = lines.flatMap(({ place, words }) => {
    const id = [2, 1].map((count) => words.slice(0, count).join(":")).find((name) => name in commands);
    const command = Object.entries(commands).find(([name]) => name === id)?.[1];
    if (command === undefined)
      return words[0]?.startsWith("-") ? [] : [`${place}: no command ${words.slice(0, 2).join(" ")}`];
    const flags = Object.entries(command.flags ?? {});
    const known = new Set(flags.flatMap(([name, flag]) => [`--${name}`, `--no-${name}`, `-${flag.char ?? name}`]));
    const end = words.indexOf("--");
    return (end < 0 ? words : words.slice(0, end))
      .filter((word) => /^--?[a-z]/i.test(word) && !known.has(word.replace(/=.*/, "")) && word !== "--help")
      .map((word) => `${place}: kb ${id?.replace(":", " ")} has no ${word}`);
  });
  expect(wrong).toEqual([]);
});
