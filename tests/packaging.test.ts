import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

// Compilers on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });

const ROOT = resolve(import.meta.dirname, "..");
const PACKAGES = ["runner", "modules", "lab", "cli"];

let folder: string;
let copy: string;
let empty: string;

/** Packing rewrites manifests for a moment: not under the feet of whoever else works in this checkout. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-pack-"));
  copy = join(folder, "copy");
  empty = join(folder, "empty");
  mkdirSync(join(copy, "node_modules/@keybuzz"), { recursive: true });
  mkdirSync(join(empty, "node_modules"), { recursive: true });
  for (const name of ["package.json", "tsconfig.base.json", "scripts", "packages"]) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== "@keybuzz" && name !== ".cache") {
      symlinkSync(join(ROOT, "node_modules", name), join(copy, "node_modules", name));
    }
  }
  for (const name of PACKAGES) symlinkSync(join(copy, "packages", name), join(copy, "node_modules/@keybuzz", name));
  await run("npm", ["pack", "--workspaces", "--pack-destination", folder], copy);
  const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  writeFileSync(join(empty, "package.json"), '{ "type": "module", "private": true }');
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...quiet, ...tarballs.map((name) => join(folder, name))], empty);
  for (const name of ["@types/node", "undici-types", "typescript", "@typescript"]) {
    const target = join(empty, "node_modules", name);
    mkdirSync(join(target, ".."), { recursive: true });
    if (!existsSync(target)) symlinkSync(join(ROOT, "node_modules", name), target);
  }
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(program: string, argv: readonly string[], cwd: string): Promise<string> {
  // Where npm gets packages from may be told by the environment; what vitest tells its workers is not for others.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(?:VITEST|NODE_ENV|TEST)/.test(key)));
  const options = { cwd, env, timeout: 400_000, maxBuffer: 1 << 26 };
  return promisify(execFile)(program, argv, options).then(
    ({ stdout }) => stdout,
    (error: Error & { stdout: string }) => {
      throw new Error(`${error.message}\n${error.stdout}`);
    },
  );
}

const kb = (...argv: readonly string[]) =>
  run(process.execPath, [join(empty, "node_modules/@keybuzz/cli/bin/kb.js"), ...argv], empty);

it("leaves the checkout as it was: sources, and nothing built", () => {
  for (const name of PACKAGES) {
    const own = join("packages", name);
    expect(readFileSync(join(copy, own, "package.json"), "utf8")).toBe(
      readFileSync(join(ROOT, own, "package.json"), "utf8"),
    );
    expect(readdirSync(join(copy, own)).toSorted()).toEqual(readdirSync(join(ROOT, own)).toSorted());
  }
});

it("packs JavaScript and declarations, and no sources or tests", () => {
  for (const name of PACKAGES) {
    const files = readdirSync(join(empty, "node_modules/@keybuzz", name), { recursive: true }).map(String);
    expect(files).toContain(name === "cli" ? "dist/main.js" : "dist/index.d.ts");
    expect(files.filter((file) => !file.startsWith("templates") && /(?<!\.d)\.ts$|\.test\./.test(file))).toEqual([]);
    const { engines, scripts } = JSON.parse(
      readFileSync(join(empty, "node_modules/@keybuzz", name, "package.json"), "utf8"),
    );
    expect([engines, scripts]).toEqual([{ node: ">=22.18" }, undefined]);
  }
});

it("installs a kb that works", async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "packages/cli/package.json"), "utf8"));
  expect(await kb("--version")).toContain(`@keybuzz/cli/${version} `);
  expect(await kb("module", "show", "apt")).toMatch(/^examples\n {2}apt\(/m);
  expect(await kb("new", "project", "trial")).toContain("trial/roles/trial/role.ts\n");
  expect(
    await run(
      process.execPath,
      [join(empty, "node_modules/@keybuzz/cli/bin/kb.js"), "check", "site"],
      join(empty, "trial"),
    ),
  ).toMatch(/checked types, 2 hosts, 4 tasks \(2 templates\) in .*: no error\n$/);
});

it("has types that hold", async () => {
  const source = `import { apt } from "@keybuzz/modules";
import { ask, defineModule, exec, sh } from "@keybuzz/runner";
import * as z from "zod";

export const thing = defineModule({
  name: "thing",
  summary: "A thing",
  params: z.strictObject({ name: z.string() }),
  id: ({ name }) => name,
  probe: () => ask(sh\`true\`, ({ exitCode }) => ({ there: exitCode === 0 })),
  desired: () => ({ there: true }),
  plan: () => [exec(sh\`true\`)],
});
export const tasks = [thing({ name: "x" }), apt({ name: "curl" })];
// @ts-expect-error a name is a text
export const wrong = thing({ name: 1 });
`;
  writeFileSync(join(empty, "main.ts"), source);
  const options = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--module",
    "nodenext",
    "--target",
    "es2024",
  ];
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  expect(await run(process.execPath, [tsc, ...options, "main.ts"], empty)).toBe("");
});
