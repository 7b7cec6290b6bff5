import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { request as requestTls } from "node:https";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../errors.ts";
import type { Upstream } from "./sources.ts";

/** What a caching mirror needs to know. */
export interface MirrorOptions {
  /** Where bodies are kept, as `SERVER/PATH`. */
  readonly cacheDir: string;
  /** Servers that may be asked for; any other is refused, so that the lab has no way out. */
  readonly upstreams: readonly Upstream[];
  /** HTTP proxy of the machine, as apt knows it. */
  readonly proxy?: string;
  /** Milliseconds for which an index is served without asking again; default one day. */
  readonly indexFreshMs?: number;
}

const ONE_DAY_MS = 24 * 60 * 60 * 1000;
const UPSTREAM_TIMEOUT_MS = 60_000;

/** Files whose name says what is in them never change: packages, and indexes named by their own hash. */
const IMMUTABLE = /\/pool\/|\/by-hash\//;

/**
 * An HTTP server that answers apt from disk and asks the real mirror only for what it has never seen, and for indexes
 * older than a day. When the mirror cannot be reached, an old index is better than none and is served.
 *
 * It serves both forms of a request: `GET /path` with a Host header, and `GET http://host/path` as to a proxy.
 */
export function createMirror(options: MirrorOptions): Server {
  const inFlight = new Map<string, Promise<Fetched>>();
  const fetchOnce = (target: Target) => {
    const running = inFlight.get(target.file);
    if (running !== undefined) return running;
    const started = refresh(target, options).finally(() => inFlight.delete(target.file));
    inFlight.set(target.file, started);
    return started;
  };
  return createServer((incoming, response) => {
    answer(incoming, response, options, fetchOnce).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(502, { "content-type": "text/plain" });
      response.end(`the lab's mirror could not fetch ${incoming.url}: ${messageOf(error)}\n`);
    });
  });
}

interface Target {
  readonly url: URL;
  /** Where the body is kept. */
  readonly file: string;
}

type Fetched = { readonly kind: "on-disk" } | { readonly kind: "refused"; readonly status: number };

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: MirrorOptions,
  fetchOnce: (target: Target) => Promise<Fetched>,
): Promise<void> {
  if (incoming.method !== "GET" && incoming.method !== "HEAD") return plain(response, 405);
  const target = targetOf(incoming, options);
  if (target === undefined) return plain(response, 403);
  if (!isFresh(target, options.indexFreshMs ?? ONE_DAY_MS)) {
    const fetched = await fetchOnce(target);
    if (fetched.kind === "refused") return plain(response, fetched.status);
  }
  const { size, mtime } = statSync(target.file);
  const modified = new Date(Math.floor(mtime.getTime() / 1000) * 1000);
  const known = Date.parse(incoming.headers["if-modified-since"] ?? "");
  if (known >= modified.getTime()) return plain(response, 304);
  response.writeHead(200, {
    "content-length": size,
    "content-type": "application/octet-stream",
    "last-modified": modified.toUTCString(),
  });
  if (incoming.method === "HEAD") response.end();
  else await pipeline(createReadStream(target.file), response);
}

function plain(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-length": 0 }).end();
}

/** What is asked for, or undefined when it is on no known server. */
export function targetOf(
  incoming: { readonly url?: string | undefined; readonly headers: { readonly host?: string | undefined } },
  options: Pick<MirrorOptions, "cacheDir" | "upstreams">,
): Target | undefined {
  const asked = URL.parse(incoming.url ?? "", `http://${incoming.headers.host ?? "unknown"}`);
  const upstream = options.upstreams.find(({ name }) => name === asked?.hostname);
  // URL has resolved `..` already; what is still encoded is no path of a Debian archive.
  if (asked === null || upstream === undefined || /%2f|%00/i.test(asked.pathname) || asked.search !== "")
    return undefined;
  const path = asked.pathname.endsWith("/") ? `${asked.pathname}.directory` : asked.pathname;
  return { url: new URL(asked.pathname, upstream.origin), file: join(options.cacheDir, upstream.name, path) };
}

function isFresh({ url, file }: Target, indexFreshMs: number): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  // The body's mtime is the server's Last-Modified; its ctime is when we last asked.
  return IMMUTABLE.test(url.pathname) || Date.now() - stats.ctimeMs < indexFreshMs;
}

async function refresh(target: Target, options: MirrorOptions): Promise<Fetched> {
  const kept = statSync(target.file, { throwIfNoEntry: false });
  try {
    const reply = await ask(target.url, options.proxy, kept?.mtime);
    if (reply.statusCode === 304 && kept !== undefined) {
      reply.resume();
      utimesSync(target.file, kept.atime, kept.mtime); // Moves ctime: asked just now.
      return { kind: "on-disk" };
    }
    if (reply.statusCode !== 200) {
      reply.resume();
      return kept === undefined ? { kind: "refused", status: reply.statusCode ?? 502 } : { kind: "on-disk" };
    }
    await keep(reply, target.file);
    return { kind: "on-disk" };
  } catch (error) {
    if (kept !== undefined) return { kind: "on-disk" };
    throw error;
  }
}

async function keep(reply: IncomingMessage, file: string): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const partial = join(
    dirname(file),
    `.${createHash("sha256").update(file).digest("hex").slice(0, 12)}-${randomUUID()}`,
  );
  try {
    await pipeline(reply, createWriteStream(partial));
    const modified = new Date(reply.headers["last-modified"] ?? Date.now());
    utimesSync(partial, modified, modified);
    renameSync(partial, file);
  } finally {
    rmSync(partial, { force: true });
  }
}

const MAX_REDIRECTS = 3;

async function ask(url: URL, proxy: string | undefined, since: Date | undefined): Promise<IncomingMessage> {
  let at = url;
  for (let redirects = 0; ; redirects += 1) {
    const reply = await askOnce(at, proxy, since);
    const location = reply.headers.location;
    if (location === undefined || (reply.statusCode ?? 0) < 300 || reply.statusCode === 304) return reply;
    reply.resume();
    if (redirects === MAX_REDIRECTS) throw new Error(`${url.href} redirects more than ${MAX_REDIRECTS} times`);
    at = new URL(location, at);
  }
}

function askOnce(url: URL, proxy: string | undefined, since: Date | undefined): Promise<IncomingMessage> {
  const headers = { host: url.host, ...(since === undefined ? {} : { "if-modified-since": since.toUTCString() }) };
  return new Promise((resolve, reject) => {
    let asking: ClientRequest;
    if (url.protocol === "https:") {
      asking = requestTls(url, { headers });
    } else if (proxy === undefined) {
      asking = request(url, { headers });
    } else {
      const { hostname, port, username, password } = new URL(proxy);
      const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      const authorization = username === "" ? {} : { "proxy-authorization": `Basic ${btoa(login)}` };
      asking = request({ hostname, port: port || 80, path: url.href, headers: { ...headers, ...authorization } });
    }
    asking.setTimeout(UPSTREAM_TIMEOUT_MS, () => {
      asking.destroy(new Error(`${url.href} did not answer within ${UPSTREAM_TIMEOUT_MS} ms`));
    });
    asking.on("response", resolve).on("error", reject).end();
  });
}
