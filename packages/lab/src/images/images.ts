import { mkdir, rm } from "node:fs/promises";
import { withLock } from "./build-lock.ts";
import { mariadbImage } from "./mariadb-image.ts";
import { type ImagePaths, imagePaths } from "./paths.ts";
import { type PublishedImage, publishedImage, publishImage } from "./publish.ts";
import { type ImageRecipe, recipeKey } from "./recipe.ts";
import { withPushRegistry } from "./registry.ts";

/** What {@link ensureImages} needs. */
export interface EnsureImagesOptions {
  /** Debian mirror for what has to be built. Default: `http://deb.debian.org/debian`. */
  readonly mirror?: string;
  /** Told what is being done, one line a step; not called when nothing has to be. */
  readonly onStep?: (text: string) => void;
  readonly paths?: ImagePaths;
}

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
export async function ensureImages(options: EnsureImagesOptions = {}): Promise<readonly PublishedImage[]> {
  const { mirror = "http://deb.debian.org/debian", onStep = () => {}, paths = imagePaths() } = options;
  const recipes = imageRecipes();
  const ready = await upToDate(recipes, paths);
  if (ready !== undefined) return ready;
  await Promise.all([paths.layers, paths.roots, paths.published].map((path) => mkdir(path, { recursive: true })));
  return withLock(paths.lock, async () => {
    await rm(paths.work, { recursive: true, force: true });
    return withPushRegistry(paths, async (registry) => {
      const published: PublishedImage[] = [];
      for (const recipe of recipes) {
        const before = await current(recipe, paths);
        published.push(before ?? (await publishImage(recipe, registry, { paths, mirror, onStep })));
      }
      return published;
    });
  });
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
