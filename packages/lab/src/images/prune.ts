import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import type { ImagePaths } from "./paths.ts";
import { type ImageRecipe, layerName } from "./recipe.ts";
import { renderRegistryConfig } from "./registry.ts";

/** The file names in `found` that belong to no layer of the recipes. */
export function staleLayers(images: readonly ImageRecipe[], found: readonly string[]): string[] {
  const kept = new Set(images.flatMap(({ layers }) => layers.map(layerName)));
  return found.filter((name) => !kept.has(name.replace(/\.(tar|json)$/, "")));
}

/**
 * Removes the layers and roots of recipes that are no more, and from the registry's storage what no tag names. A pull
 * of a replaced image that is under way at this moment may fail, and works when tried again.
 *
 * @see https://distribution.github.io/distribution/about/garbage-collection/
 */
export async function pruneLayers(images: readonly ImageRecipe[], paths: ImagePaths): Promise<void> {
  for (const folder of [paths.layers, paths.roots]) {
    for (const name of staleLayers(images, await readdir(folder))) {
      await rm(join(folder, name), { recursive: true });
    }
  }
  const configPath = join(paths.work, "collect.json");
  const config = { address: "127.0.0.1", port: 0, storage: paths.storage, readOnly: false };
  await mkdir(paths.work, { recursive: true });
  await writeFile(configPath, renderRegistryConfig(config));
  await command(["docker-registry", "garbage-collect", "--delete-untagged", configPath]);
}
