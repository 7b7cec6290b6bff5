import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { labPaths } from "../lab-dir.ts";
import { controllerNamespace } from "../names.ts";
import { serviceLog, startService } from "../services.ts";
import { certificatePaths } from "./certificate.ts";
import type { OriginConfig } from "./origin.ts";
import { type ImagePaths, imagePaths } from "./paths.ts";
import { renderRegistryConfig, waitForHttp } from "./registry.ts";

/** Port at which a lab's registry answers plain HTTP. */
export const REGISTRY_PORT = 5000;
/** Port at which the files of the package repositories are served over plain HTTP. */
export const FILES_PORT = 5080;

/** Beside this file, whether that is source or compiled. */
const ORIGIN_MAIN = fileURLToPath(new URL(`./origin-main${import.meta.url.slice(-3)}`, import.meta.url));

/**
 * Starts what answers for images and packages from outside in a lab, unless it runs: the registry, read-only over the
 * published images, and the origin, which answers for `registry-1.docker.io` and `repo.proxysql.com` over TLS.
 *
 * @throws {LabError} when one of them does not answer within 10 s; the message holds the end of its log.
 */
export async function startImageServices(lab: string, gateway: string, paths = imagePaths()): Promise<void> {
  await Promise.all([startRegistry(lab, gateway, paths), startOrigin(lab, gateway, paths)]);
}

async function startRegistry(lab: string, gateway: string, paths = imagePaths()): Promise<void> {
  const configPath = join(labPaths(lab).dir, "registry.json");
  const config = { address: gateway, port: REGISTRY_PORT, storage: paths.storage, readOnly: true };
  await mkdir(paths.storage, { recursive: true });
  await writeFile(configPath, renderRegistryConfig(config));
  await startService(lab, { name: "registry", where: "controller", argv: ["docker-registry", "serve", configPath] });
  await waitUntilServed(lab, "registry", `http://${gateway}:${REGISTRY_PORT}/v2/`);
}

async function startOrigin(lab: string, gateway: string, paths: ImagePaths): Promise<void> {
  const configPath = join(labPaths(lab).dir, "origin.json");
  const config: OriginConfig = {
    address: gateway,
    registryPort: REGISTRY_PORT,
    filesPort: FILES_PORT,
    directory: paths.repository,
    ...certificatePaths(paths),
  };
  await writeFile(configPath, JSON.stringify(config));
  await startService(lab, { name: "origin", where: "controller", argv: [process.execPath, ORIGIN_MAIN, configPath] });
  await waitUntilServed(lab, "origin", `http://${gateway}:${FILES_PORT}/kb-hello/InRelease`);
}

function waitUntilServed(lab: string, service: string, url: string): Promise<void> {
  return waitForHttp({ url, namespace: controllerNamespace(lab), logFile: serviceLog(lab, service) });
}
