import { basename, join, relative, resolve } from "node:path";
import { $, fs, glob } from "zx";

/**
 * What `npm pack` runs before and after it packs a package of this repository, whose sources run unbuilt: `build` makes
 * `dist/` with JavaScript and declarations and points the manifest at it; `restore` undoes both.
 *
 *     node ../../scripts/pack.ts build|restore      in a package's folder
 */
const ROOT = resolve(import.meta.dirname, "..");
const CACHE = join(ROOT, "node_modules", ".cache", "keybuzz", "pack");
/** The manifest as it was; where a run was killed, the next one begins by putting it back. */
const KEPT = "package.json.unpacked";

type Json = { readonly [key: string]: unknown };

const step = process.argv[2];
const folder = process.cwd();
if (relative(join(ROOT, "packages"), folder).includes("/") || (step !== "build" && step !== "restore")) {
  throw new Error("run `npm pack` in one of the folders below packages/");
}
await restore();
if (step === "build") await build();

async function restore(): Promise<void> {
  if (await fs.pathExists(KEPT)) await fs.move(KEPT, "package.json", { overwrite: true });
  await fs.remove("dist");
}

async function build(): Promise<void> {
  const emitted = await compile();
  const name = basename(folder);
  for (const source of await glob("src/**/*", { dot: true })) {
    const target = source.replace(/^src/, "dist");
    if (!isShipped(name, source)) continue;
    if (!source.endsWith(".ts")) await fs.copy(source, target);
    else {
      for (const end of [".js", ".d.ts"]) {
        await fs.copy(join(emitted, name, source.replace(/\.ts$/, end)), target.replace(/\.ts$/, end));
      }
    }
  }
  const manifest: Json = await fs.readJson("package.json");
  await fs.copy("package.json", KEPT);
  await fs.writeJson("package.json", packedManifest(manifest), { spaces: 2 });
}

/** All packages at once, since they import each other; the compiler's notes make the next package's turn a short one. */
async function compile(): Promise<string> {
  const config = join(CACHE, "tsconfig.json");
  await fs.outputJson(config, {
    extends: join(ROOT, "tsconfig.base.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      incremental: true,
      noEmitOnError: true,
      rewriteRelativeImportExtensions: true,
      tsBuildInfoFile: join(CACHE, "notes.tsbuildinfo"),
      rootDir: join(ROOT, "packages"),
      outDir: join(CACHE, "out"),
    },
    include: [join(ROOT, "packages/*/src")],
    exclude: [join(ROOT, "packages/**/*.test.ts")],
  });
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { exitCode } = await $({ stdio: "inherit", nothrow: true })`${process.execPath} ${tsc} -p ${config}`;
  if (exitCode !== 0) throw new Error("the sources have errors: see above");
  return join(CACHE, "out");
}

/** Tests stay here, and what only they read; of a module's cases one goes along: `kb module show` makes its example of it. */
function isShipped(name: string, source: string): boolean {
  if (/\.test\.ts$|\/fixtures\/|\.ndjson$/.test(source)) return false;
  if (source.includes("/testing/")) return name === "runner";
  return !source.includes("/cases/") || /\/plan-[^/]*\.json$/.test(source);
}

/** The manifest with `./src/X.ts` as what became of it, and without what concerns this repository alone. */
function packedManifest({ scripts: _scripts, devDependencies: _devDependencies, ...manifest }: Json): Json {
  const built = (path: string): string => path.replace(/^\.\/src\/(.*)\.ts$/, "./dist/$1.js");
  const rewrite = (value: unknown, key: string): unknown => {
    if (typeof value === "string") {
      const js = built(value);
      // Subpaths that others import have types too.
      return js !== value && key.startsWith(".") ? { types: js.replace(/\.js$/, ".d.ts"), default: js } : js;
    }
    if (Array.isArray(value)) return value.map((item) => rewrite(item, ""));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rewrite(item, name)]));
  };
  return rewrite(manifest, "") as Json;
}
