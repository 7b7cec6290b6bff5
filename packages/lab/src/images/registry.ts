import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { command, startDetached } from "../command.ts";
import { LabError, messageOf } from "../errors.ts";
import { type ImagePaths, imagePaths } from "./paths.ts";

/** Where a registry listens, and what it may do. */
export interface RegistryConfig {
  readonly address: string;
  readonly port: number;
  readonly storage: string;
  /** Refuse pushes. Several read-only registries may share one storage. */
  readonly readOnly: boolean;
}

/** Port at which a lab's registry answers plain HTTP. */
export const REGISTRY_PORT = 5000;

const READY_TIMEOUT_MS = 10_000;

/**
 * The configuration file of a registry.
 *
 * @see https://distribution.github.io/distribution/about/configuration/
 */
export function renderRegistryConfig({ address, port, storage, readOnly }: RegistryConfig): string {
  const document = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      cache: { blobdescriptor: "inmemory" },
      maintenance: { readonly: { enabled: readOnly }, uploadpurging: { enabled: false } },
    },
    http: { addr: `${address}:${port}`, headers: { "X-Content-Type-Options": ["nosniff"] } },
  };
  return `${JSON.stringify(document, null, 2)}\n`; // JSON is YAML
}

/** How a lab starts its registry. */
export interface StartRegistryOptions {
  /** What goes before a command to run it in the lab's controller namespace, such as `ip netns exec NAME`. */
  readonly inNamespace: readonly string[];
  /** Address at which the lab's hosts reach it. */
  readonly address: string;
  /** Default: {@link REGISTRY_PORT}. */
  readonly port?: number;
  /** Folder of this lab for the configuration and the log. */
  readonly stateDir: string;
  /** Control group in which the process is born. */
  readonly cgroupDir: string;
  readonly paths?: ImagePaths;
}

/**
 * Starts a read-only registry over the published images, and waits until it answers.
 *
 * @throws {LabError} when it does not answer within 10 s; the message holds the end of its log.
 */
export async function startRegistry(options: StartRegistryOptions): Promise<void> {
  const { address, port = REGISTRY_PORT, stateDir, inNamespace, paths = imagePaths() } = options;
  const configPath = join(stateDir, "registry.yml");
  const logFile = join(stateDir, "registry.log");
  await mkdir(paths.storage, { recursive: true });
  await writeFile(configPath, renderRegistryConfig({ address, port, storage: paths.storage, readOnly: true }));
  await startDetached([...inNamespace, "docker-registry", "serve", configPath], {
    cgroupDir: options.cgroupDir,
    logFile,
  });
  await waitForHttp({ url: `http://${address}:${port}/v2/`, inNamespace, logFile });
}

/**
 * Waits until a URL answers with success.
 *
 * @throws {LabError} after `timeoutMs` (default 10,000), with the last answer and the end of `logFile`.
 */
export async function waitForHttp(target: {
  readonly url: string;
  readonly inNamespace: readonly string[];
  readonly logFile: string;
  readonly timeoutMs?: number;
}): Promise<void> {
  const { url, inNamespace, logFile, timeoutMs = READY_TIMEOUT_MS } = target;
  const waiter = join(import.meta.dirname, "wait-for-http.ts");
  try {
    await command([...inNamespace, process.execPath, waiter, url, String(timeoutMs)], { timeoutMs: timeoutMs + 5_000 });
  } catch (error) {
    const log = await command(["tail", "-n", "20", logFile], { okCodes: [1] });
    throw new LabError(`nothing answers at ${url}: ${messageOf(error)}\n${logFile}:\n${log.stdout}`, { cause: error });
  }
}

/** Runs `use` with a registry on this machine's loopback that takes pushes, and ends that registry afterwards. */
export async function withPushRegistry<T>(paths: ImagePaths, use: (address: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  const configPath = join(paths.work, "push-registry.yml");
  const logFile = join(paths.work, "push-registry.log");
  await mkdir(paths.work, { recursive: true });
  await writeFile(
    configPath,
    renderRegistryConfig({ address: "127.0.0.1", port, storage: paths.storage, readOnly: false }),
  );
  const log = openSync(logFile, "a");
  const registry = spawn("docker-registry", ["serve", configPath], { stdio: ["ignore", log, log] });
  closeSync(log);
  const ended = once(registry, "exit").catch(() => {}); // an `error` event shows as nothing answering, below
  try {
    await waitForHttp({ url: `http://127.0.0.1:${port}/v2/`, inNamespace: [], logFile });
    return await use(`127.0.0.1:${port}`);
  } finally {
    registry.kill();
    await ended;
  }
}

/** A TCP port of the loopback that nothing uses just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new LabError("cannot find a free port on 127.0.0.1");
  return address.port;
}
