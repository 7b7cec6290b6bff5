import { mkdir, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import type { MachinePackages } from "../apt/machine.ts";
import { createMirror } from "../apt/mirror.ts";
import type { Steps } from "../steps.ts";
import { withLock } from "./build-lock.ts";
import { mariadbImage } from "./mariadb-image.ts";
import { type ImagePaths, imagePaths } from "./paths.ts";
import { type PublishedImage, publishedImage, publishImage } from "./publish.ts";
import { type ImageRecipe, recipeKey } from "./recipe.ts";
import { withPushRegistry } from "./registry.ts";

/** The images that the lab offers, in the order in which they are built. */
export function imageRecipes(): readonly ImageRecipe[] {
  return [mariadbImage];
}

/**
 * Sees to it that the registry's storage holds every image of the lab, as its recipe is now.
 *
 * Builds only what is missing or was made from another recipe; with nothing to do it reads one small file an image.
 * Processes that call it at the same time wait for each other.
 *
 * @throws {LabError} when a program of the build fails; its output is in the message.
 */
export async function ensureImages(
  packages: MachinePackages,
  steps: Steps,
  paths: ImagePaths = imagePaths(),
): Promise<readonly PublishedImage[]> {
  const recipes = imageRecipes();
  const ready = await upToDate(recipes, paths);
  if (ready !== undefined) return ready;
  await Promise.all([paths.layers, paths.roots, paths.published].map((path) => mkdir(path, { recursive: true })));
  return withLock(paths.lock, async () => {
    await rm(paths.work, { recursive: true, force: true });
    return withMirror(packages, (proxy) =>
      withPushRegistry(paths, async (registry) => {
        const context = { paths, mirror: packages.mirror, proxy, steps };
        const published: PublishedImage[] = [];
        for (const recipe of recipes) {
          published.push((await current(recipe, paths)) ?? (await publishImage(recipe, registry, context)));
        }
        return published;
      }),
    );
  });
}

/** Runs `use` with the caching mirror of Debian's archives on the loopback, spoken to as a proxy. */
async function withMirror<T>(packages: MachinePackages, use: (proxy: string) => Promise<T>): Promise<T> {
  const mirror = createMirror(packages.mirrorOptions);
  await new Promise<void>((resolve, reject) => mirror.once("error", reject).listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(mirror.address() as AddressInfo).port}`);
  } finally {
    mirror.closeAllConnections();
    mirror.close();
  }
}

async function upToDate(
  recipes: readonly ImageRecipe[],
  paths: ImagePaths,
): Promise<readonly PublishedImage[] | undefined> {
  const images = await Promise.all(recipes.map((recipe) => current(recipe, paths)));
  return images.every((image) => image !== undefined) ? images : undefined;
}

async function current(recipe: ImageRecipe, paths: ImagePaths): Promise<PublishedImage | undefined> {
  const image = await publishedImage(recipe.repository, paths);
  return image?.key === recipeKey(recipe) ? image : undefined;
}
