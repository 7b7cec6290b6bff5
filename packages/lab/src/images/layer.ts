import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { DebianMirror } from "../apt/sources.ts";
import { renderSources } from "../base/recipe.ts";
import { command } from "../command.ts";
import type { Steps } from "../steps.ts";
import { writeEntries } from "./file-entries.ts";
import type { ImagePaths } from "./paths.ts";
import { type BaseLayer, type LayerRecipe, layerName, type PackagesLayer } from "./recipe.ts";
import { removedPaths, writeWhiteouts } from "./whiteout.ts";

/** A finished layer: an uncompressed tar on this machine, and what an image manifest has to say of it. */
export interface Layer {
  readonly path: string;
  /** `sha256:...` of the tar. Digest and diff id at once, the tar being uncompressed. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Debian versions of the packages that the recipe names. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What building a layer needs beside its recipe. */
export interface LayerContext {
  readonly paths: ImagePaths;
  /** Debian's archives, by the names that `proxy` knows. */
  readonly mirror: DebianMirror;
  /** HTTP proxy through which they are reached. */
  readonly proxy: string;
  readonly steps: Steps;
}

/** The root of a layer before it is packed, and the versions of what was installed in it. */
interface Assembled {
  readonly directory: string;
  readonly versions: Readonly<Record<string, string>>;
}

const BUILD_TIMEOUT_MS = 15 * 60_000;
const PRIVATE_MOUNTS = ["unshare", "--mount", "--propagation=private", "--"];

/**
 * Returns the layer of a recipe, building it when none of that key is kept.
 *
 * A layer gets its name only when it is complete: a build that was cut short leaves nothing that is taken for one.
 *
 * @throws {LabError} when a program of the build fails; its output is in the message.
 */
export async function ensureLayer(recipe: LayerRecipe, context: LayerContext): Promise<Layer> {
  const name = join(context.paths.layers, layerName(recipe));
  const record = `${name}.json`;
  const path = `${name}.tar`;
  if (!existsSync(record)) {
    const work = await newWorkDirectory(context.paths);
    const { directory, versions } = await assemble(recipe, work, context);
    await packTar(directory, join(work, "layer.tar"));
    await rename(join(work, "layer.tar"), path);
    const layer: Omit<Layer, "path"> = { digest: await digestOf(path), sizeBytes: (await stat(path)).size, versions };
    await writeFile(join(work, "layer.json"), JSON.stringify(layer));
    await rename(join(work, "layer.json"), record);
    await rm(work, { recursive: true });
  }
  // The path is not recorded: the lab's folder may be moved, or restored from a cache elsewhere.
  return { ...(JSON.parse(await readFile(record, "utf8")) as Omit<Layer, "path">), path };
}

function assemble(recipe: LayerRecipe, work: string, context: LayerContext): Promise<Assembled> {
  switch (recipe.kind) {
    case "base":
      return ensureRoot(recipe, context).then((directory) => ({ directory, versions: {} }));
    case "packages":
      return installPackages(recipe, work, context);
    case "files":
      return writeEntries(recipe.files, join(work, "files")).then((directory) => ({ directory, versions: {} }));
  }
}

/** The unpacked root of a base layer, made once and then only read. */
async function ensureRoot(recipe: BaseLayer, { paths, mirror, proxy, steps }: LayerContext): Promise<string> {
  const directory = join(paths.roots, layerName(recipe));
  if (existsSync(directory)) return directory;
  const root = join(await newWorkDirectory(paths), "root");
  // Mounts that debootstrap makes (proc, sys) end with the mount namespace.
  const debootstrap = ["debootstrap", "--variant=minbase", recipe.suite, root, mirror.main];
  await steps.step(`image ${recipe.name}: debootstrap of Debian ${recipe.suite}`, () =>
    command([...PRIVATE_MOUNTS, ...debootstrap], { timeoutMs: BUILD_TIMEOUT_MS, env: { http_proxy: proxy } }),
  );
  await command(["sh", "-eu", "-s", root], { input: recipe.finish });
  await rename(root, directory);
  return directory;
}

async function installPackages(recipe: PackagesLayer, work: string, context: LayerContext): Promise<Assembled> {
  const base = await ensureRoot(recipe.on, context);
  const { suite } = recipe.on;
  await writeFile(join(work, "sources.list"), renderSources(suite, context.mirror));
  await writeFile(join(work, "before"), recipe.before);
  await writeFile(join(work, "after"), recipe.after);
  const script = join(import.meta.dirname, "install-packages.sh");
  await context.steps.step(`image ${recipe.name}: install ${recipe.packages.length} packages`, () =>
    command([...PRIVATE_MOUNTS, "sh", script, base, work, context.proxy, ...recipe.packages], {
      timeoutMs: BUILD_TIMEOUT_MS,
    }),
  );
  const directory = join(work, "upper");
  const list = async (name: string) => (await readFile(join(work, name), "utf8")).split("\0").filter(Boolean);
  await writeWhiteouts(directory, removedPaths(await list("base.list"), await list("merged.list")));
  return { directory, versions: parseVersions(await readFile(join(work, "versions"), "utf8")) };
}

/** Reads the lines `package TAB version` of `dpkg-query`. */
export function parseVersions(text: string): Record<string, string> {
  const lines = text.split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split("\t", 2) as [string, string]));
}

async function newWorkDirectory({ work }: ImagePaths): Promise<string> {
  await mkdir(work, { recursive: true });
  return mkdtemp(join(work, "layer-"));
}

async function packTar(directory: string, path: string): Promise<void> {
  await command([
    ...["tar", "--create", `--file=${path}`, `--directory=${directory}`, "--sort=name", "--numeric-owner"],
    ...["--format=posix", "--pax-option=delete=atime,delete=ctime"],
    // File capabilities belong to the image; the overlay's own attributes do not.
    ...["--xattrs", "--xattrs-include=security.capability", "."],
  ]);
}

/** `sha256:` and the hex digest of a file. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return `sha256:${hash.digest("hex")}`;
}
