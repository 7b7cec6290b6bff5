import { existsSync } from "node:fs";
import { link, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { ensureLayer, type Layer, type LayerContext } from "./layer.ts";
import { composeImage, type ImageDocuments, platformArchitecture } from "./oci.ts";
import type { ImagePaths } from "./paths.ts";
import { type ImageConfig, type ImageRecipe, recipeKey } from "./recipe.ts";

/** What the registry holds under a repository's name. */
export interface PublishedImage {
  /** Key of the recipe that it was made from. */
  readonly key: string;
  readonly repository: string;
  readonly tags: readonly string[];
  /** Digest of the manifest, as `docker pull` prints it. */
  readonly digest: string;
}

const LAYOUT_REF = "image";
const PUSH_TIMEOUT_MS = 300_000;

/** Reads what was published under a repository; undefined when nothing was, or its storage is gone. */
export async function publishedImage(repository: string, paths: ImagePaths): Promise<PublishedImage | undefined> {
  const record = recordPath(repository, paths);
  const stored = join(paths.storage, "docker/registry/v2/repositories", repository);
  if (!existsSync(record) || !existsSync(stored)) return undefined;
  return JSON.parse(await readFile(record, "utf8")) as PublishedImage;
}

/**
 * Builds the layers of an image as far as they are not kept, and pushes it to a registry.
 *
 * @throws {LabError} when a step of the build, or the push, fails.
 */
export async function publishImage(
  recipe: ImageRecipe,
  registry: string,
  context: LayerContext,
): Promise<PublishedImage> {
  const { paths, steps } = context;
  const layers: Layer[] = [];
  for (const layer of recipe.layers) layers.push(await ensureLayer(layer, context));
  const version = installedVersion(recipe, layers);
  const tags = version === undefined ? recipe.tags : [...recipe.tags, version];
  const documents = composeImage(configWithVersion(recipe, version), layers, {
    created: new Date().toISOString(),
    ref: LAYOUT_REF,
    architecture: platformArchitecture(process.arch),
  });
  const layout = await writeLayout(documents, layers, paths);
  for (const tag of tags) {
    const copy = ["copy", "--quiet", "--dest-tls-verify=false", "--preserve-digests"];
    const target = `${recipe.repository}:${tag}`;
    await steps.step(`image ${target}: push`, () =>
      command(
        ["skopeo", "--insecure-policy", ...copy, `oci:${layout}:${LAYOUT_REF}`, `docker://${registry}/${target}`],
        {
          timeoutMs: PUSH_TIMEOUT_MS,
        },
      ),
    );
  }
  await rm(layout, { recursive: true });
  for (const layer of layers) await shareWithStorage(layer, paths);
  const published: PublishedImage = {
    key: recipeKey(recipe),
    repository: recipe.repository,
    tags,
    digest: documents.manifest.digest,
  };
  await writeWhole(recordPath(recipe.repository, paths), JSON.stringify(published));
  return published;
}

function installedVersion({ version }: ImageRecipe, layers: readonly Layer[]): string | undefined {
  if (version === undefined) return undefined;
  const installed = layers.map((layer) => layer.versions[version.package]).find((found) => found !== undefined);
  return installed && upstreamVersion(installed);
}

/** The version that a package's authors gave it: `11.8.6` of Debian's `1:11.8.6-0+deb13u1`. */
export function upstreamVersion(debianVersion: string): string {
  return debianVersion.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
}

function configWithVersion({ config, version }: ImageRecipe, installed: string | undefined): ImageConfig {
  if (version === undefined || installed === undefined) return config;
  return {
    ...config,
    Env: [...config.Env, `${version.env}=${installed}`],
    Labels: { ...config.Labels, "org.opencontainers.image.version": installed },
  };
}

/** Writes an image layout; layers are linked, not copied. */
async function writeLayout(
  { config, manifest, index }: ImageDocuments,
  layers: readonly Layer[],
  paths: ImagePaths,
): Promise<string> {
  await mkdir(paths.work, { recursive: true });
  const layout = await mkdtemp(join(paths.work, "layout-"));
  const blobPath = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
  await mkdir(join(layout, "blobs/sha256"), { recursive: true });
  await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(layout, "index.json"), index);
  for (const { digest, text } of [config, manifest]) await writeFile(blobPath(digest), text);
  for (const { digest, path } of layers) await link(path, blobPath(digest));
  return layout;
}

/** Makes a layer's tar and the registry's copy of it one file on disk. */
async function shareWithStorage({ path, digest }: Layer, { storage, work }: ImagePaths): Promise<void> {
  const hex = digest.replace("sha256:", "");
  const stored = join(storage, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
  await link(stored, join(work, hex));
  await rename(join(work, hex), path);
  // Renaming one name of a file to another of its names does nothing, and leaves both.
  await rm(join(work, hex), { force: true });
}

function recordPath(repository: string, paths: ImagePaths): string {
  return join(paths.published, `${repository.replaceAll("/", "_")}.json`);
}

/** Writes a file so that it is seen whole or not at all. */
export async function writeWhole(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}
