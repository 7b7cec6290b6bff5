import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import type { MachinePackages } from "../apt/machine.ts";
import { createMirror } from "../apt/mirror.ts";
import type { Steps } from "../steps.ts";
import { type AptRepository, publishRepositories, repositoriesAreCurrent } from "./apt-repository.ts";
import { withLock } from "./build-lock.ts";
import { certificatePaths, ensureCertificate } from "./certificate.ts";
import { HELLO_VERSIONS, helloPackage } from "./hello-package.ts";
import type { LayerContext } from "./layer.ts";
import { mariadbImage } from "./mariadb-image.ts";
import { type Architecture, platformArchitecture } from "./oci.ts";
import { type ImagePaths, imagePaths } from "./paths.ts";
import { proxysqlImage } from "./proxysql-image.ts";
import { proxysqlPackage } from "./proxysql-package.ts";
import { type ProxysqlProgram, proxysqlProgram } from "./proxysql-program.ts";
import { pruneLayers } from "./prune.ts";
import { type PublishedImage, publishedImage, publishImage } from "./publish.ts";
import { type ImageRecipe, recipeKey } from "./recipe.ts";
import { withPushRegistry } from "./registry.ts";

/** Everything that the lab offers its hosts from outside of Debian. */
export interface Offer {
  readonly images: readonly ImageRecipe[];
  readonly repositories: readonly AptRepository[];
  readonly architecture: Architecture;
}

/** What the lab offers as things are now: its sources, and the program that `KB_LAB_PROXYSQL` names. */
export function describeOffer(program: ProxysqlProgram): Offer {
  const architecture = platformArchitecture(process.arch);
  const series = program.version.replace(/\.\d+$/, ".x");
  const upstream = `ProxySQL/proxysql-${series}`;
  return {
    images: [mariadbImage, proxysqlImage(program)],
    repositories: [
      // As at https://repo.proxysql.com.
      {
        path: `${upstream}/trixie`,
        keys: { armored: `${upstream}/repo_pub_key`, binary: `${upstream}/repo_pub_key.gpg` },
        packages: [proxysqlPackage(program, architecture)],
      },
      {
        path: "kb-hello",
        keys: { armored: "kb-hello/key.asc", binary: "kb-hello/key.gpg" },
        packages: HELLO_VERSIONS.map(helloPackage),
      },
    ],
    architecture,
  };
}

/**
 * Sees to it that every image and package of the lab is there to be served, as its recipe is now.
 *
 * Builds only what is missing or was made from another recipe. Processes that call it at the same time wait for each
 * other.
 *
 * @throws {LabError} when a program of the build fails; its output is in the message.
 */
export async function ensureImages(
  packages: MachinePackages,
  steps: Steps,
  paths: ImagePaths = imagePaths(),
): Promise<readonly PublishedImage[]> {
  const offer = describeOffer(await proxysqlProgram());
  await Promise.all([paths.layers, paths.roots, paths.published].map((path) => mkdir(path, { recursive: true })));
  if (!(await isCurrent(offer, paths))) {
    await withLock(paths.lock, async () => {
      if (await isCurrent(offer, paths)) return;
      await rm(paths.work, { recursive: true, force: true });
      await ensureCertificate(paths);
      await ensureRepositories(offer, steps, paths);
      await withMirror(packages, (proxy) => pushMissing(offer, { paths, mirror: packages.mirror, proxy, steps }));
      await pruneLayers(offer.images, paths);
    });
  }
  return (await Promise.all(offer.images.map((recipe) => current(recipe, paths)))).filter(
    (image) => image !== undefined,
  );
}

async function isCurrent({ images, repositories, architecture }: Offer, paths: ImagePaths): Promise<boolean> {
  const published = await Promise.all(images.map((recipe) => current(recipe, paths)));
  if (published.includes(undefined)) return false;
  return existsSync(certificatePaths(paths).certPath) && repositoriesAreCurrent(repositories, architecture, paths);
}

async function current(recipe: ImageRecipe, paths: ImagePaths): Promise<PublishedImage | undefined> {
  const image = await publishedImage(recipe.repository, paths);
  return image?.key === recipeKey(recipe) ? image : undefined;
}

async function ensureRepositories(offer: Offer, steps: Steps, paths: ImagePaths): Promise<void> {
  const { repositories, architecture } = offer;
  if (await repositoriesAreCurrent(repositories, architecture, paths)) return;
  const names = new Set(repositories.flatMap(({ packages }) => packages.map((recipe) => recipe.package)));
  await steps.step(`packages ${[...names].join(", ")}`, () => publishRepositories(repositories, architecture, paths));
}

async function pushMissing(offer: Offer, context: LayerContext): Promise<void> {
  await withPushRegistry(context.paths, async (registry) => {
    for (const recipe of offer.images) {
      if ((await current(recipe, context.paths)) === undefined) await publishImage(recipe, registry, context);
    }
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
