import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../errors.ts";

/** What an origin answers from. */
export interface OriginConfig {
  /** Address of the lab's controller. */
  readonly address: string;
  /** Port of the registry at that address. */
  readonly registryPort: number;
  /** Port at which files are served over plain HTTP. */
  readonly filesPort: number;
  /** Directory of the files. */
  readonly directory: string;
  /** PEM files. */
  readonly certPath: string;
  readonly keyPath: string;
}

/** The server that stands in for names outside the lab: Docker's registry, and ProxySQL's package repository. */
export function createOrigin(config: OriginConfig, certificate: { cert: string; key: string }): Server {
  return createTlsServer(certificate, (incoming, response) => {
    const name = (incoming.headers.host ?? "").replace(/:\d+$/, "");
    const answer =
      name === "registry-1.docker.io"
        ? forward(config, incoming, response)
        : name === "repo.proxysql.com"
          ? serveFile(config.directory, incoming, response)
          : refuse(response, 421, `the lab does not answer for ${name}`);
    answer.catch((error: unknown) => refuse(response, 502, messageOf(error)));
  });
}

/** A server of the same files over plain HTTP. */
export function createFileServer(directory: string): Server {
  return createServer((incoming, response) => {
    serveFile(directory, incoming, response).catch((error: unknown) => refuse(response, 500, messageOf(error)));
  });
}

/** The file that a request's path means, or undefined when it would lie outside of the directory. */
export function filePath(directory: string, url: string): string | undefined {
  try {
    const path = normalize(decodeURIComponent(new URL(url, "http://lab").pathname));
    return path.includes("\0") ? undefined : join(directory, path);
  } catch {
    return undefined; // not an URL, or not well escaped
  }
}

async function serveFile(directory: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  if (incoming.method !== "GET" && incoming.method !== "HEAD") return refuse(response, 405, "only GET and HEAD");
  const path = filePath(directory, incoming.url ?? "/");
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || !found?.isFile()) return refuse(response, 404, `no file ${incoming.url}`);
  const modified = found.mtime.toUTCString();
  if (incoming.headers["if-modified-since"] === modified) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, { "content-length": found.size, "last-modified": modified });
  if (incoming.method === "HEAD") response.end();
  else await pipeline(createReadStream(path), response);
}

/** Hands a request on to the registry, and its answer back. */
async function forward(config: OriginConfig, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request(
    {
      host: config.address,
      port: config.registryPort,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    },
    resolve,
  )
    .on("error", reject)
    .end(); // the registry is read-only: nothing that is asked of it has a body
  const answer = await promise;
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, response);
}

async function refuse(response: ServerResponse, status: number, text: string): Promise<void> {
  if (!response.headersSent) response.writeHead(status, { "content-type": "text/plain" });
  response.end(`${text}\n`);
}
