import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { command } from "../command.ts";
import { LabError, messageOf } from "../errors.ts";
import { inNamespace } from "../network/namespaces.ts";
import type { ImagePaths } from "./paths.ts";

/** Where a registry listens, and what it may do. */
export interface RegistryConfig {
  readonly address: string;
  readonly port: number;
  readonly storage: string;
  /** Refuse pushes. Several read-only registries may share one storage. */
  readonly readOnly: boolean;
}

const READY_TIMEOUT_MS = 10_000;
/** Beside this file, whether that is source or compiled. */
const WAITER = fileURLToPath(new URL(`./wait-for-http${import.meta.url.slice(-3)}`, import.meta.url));

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

/**
 * Waits until a URL answers with success, as seen from a network namespace (default: this process's own).
 *
 * @throws {LabError} after 10 s, with the last answer and the end of `logFile`.
 */
export async function waitForHttp(target: {
  readonly url: string;
  readonly namespace?: string;
  readonly logFile: string;
}): Promise<void> {
  const { url, namespace, logFile } = target;
  const argv = [process.execPath, WAITER, url, String(READY_TIMEOUT_MS)];
  try {
    await command(namespace === undefined ? argv : inNamespace(namespace, argv));
  } catch (cause) {
    const log = await readFile(logFile, "utf8").catch(messageOf);
    throw new LabError(`nothing answers at ${url}: ${messageOf(cause)}\n${logFile}:\n${log.slice(-1000)}`, { cause });
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
    await waitForHttp({ url: `http://127.0.0.1:${port}/v2/`, logFile });
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
