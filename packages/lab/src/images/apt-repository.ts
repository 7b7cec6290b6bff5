import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { type IndexedPackage, renderPackages, renderRelease } from "./apt-index.ts";
import { buildDeb, type DebRecipe, renderControl } from "./deb.ts";
import type { Architecture } from "./oci.ts";
import type { ImagePaths } from "./paths.ts";
import { writeWhole } from "./publish.ts";
import { recipeKey } from "./recipe.ts";
import { type Signer, withSigner } from "./signing-key.ts";

/** A flat apt repository: packages and indexes in one folder. */
export interface AptRepository {
  /** Folder below the served directory. */
  readonly path: string;
  /** Files below the served directory that hold its public key. */
  readonly keys: { readonly armored: string; readonly binary: string };
  readonly packages: readonly DebRecipe[];
}

/** What decides all of the served directory. */
function treeKey(repositories: readonly AptRepository[], architecture: Architecture): string {
  return recipeKey({ repositories, architecture });
}

/** Are the repositories, as they are now, what is served? */
export async function repositoriesAreCurrent(
  repositories: readonly AptRepository[],
  architecture: Architecture,
  paths: ImagePaths,
): Promise<boolean> {
  const record = join(paths.published, "apt.json");
  if (!existsSync(record) || !existsSync(paths.repository)) return false;
  const { key } = JSON.parse(await readFile(record, "utf8")) as { key: string };
  return key === treeKey(repositories, architecture);
}

/**
 * Builds the packages and their signed indexes, and puts them in place of what was served before.
 *
 * @throws {LabError} when dpkg-deb or gpg fails.
 */
export async function publishRepositories(
  repositories: readonly AptRepository[],
  architecture: Architecture,
  paths: ImagePaths,
): Promise<void> {
  await mkdir(paths.work, { recursive: true });
  const tree = await mkdtemp(join(paths.work, "apt-"));
  await withSigner(paths, async (signer) => {
    for (const repository of repositories) {
      await writeRepository(repository, tree, { architecture, signer, work: paths.work });
    }
  });
  await rm(paths.repository, { recursive: true, force: true });
  await rename(tree, paths.repository);
  await writeWhole(join(paths.published, "apt.json"), JSON.stringify({ key: treeKey(repositories, architecture) }));
}

interface WriteContext {
  readonly architecture: Architecture;
  readonly signer: Signer;
  readonly work: string;
}

async function writeRepository(
  { path, keys, packages }: AptRepository,
  tree: string,
  { architecture, signer, work }: WriteContext,
): Promise<void> {
  const directory = join(tree, path);
  await mkdir(directory, { recursive: true });
  const indexed: IndexedPackage[] = [];
  for (const recipe of packages) {
    const file = await buildDeb(recipe, directory, work);
    indexed.push({ control: renderControl(recipe), fileName: basename(file), content: await readFile(file) });
  }
  const list = Buffer.from(renderPackages(indexed));
  const indexes = { Packages: list, "Packages.gz": gzipSync(list) };
  for (const [name, content] of Object.entries(indexes)) await writeFile(join(directory, name), content);
  const release = join(directory, "Release");
  await writeFile(release, renderRelease(indexes, { label: "KeyBuzz lab", architecture, date: new Date() }));
  await signer.clearSign(release, join(directory, "InRelease"));
  await signer.detachSign(release, `${release}.gpg`);
  await signer.exportKey(join(tree, keys.armored), "armor");
  await signer.exportKey(join(tree, keys.binary), "binary");
}
