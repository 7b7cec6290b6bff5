import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createMirror, targetOf } from "./mirror.ts";

let cacheDir: string;
let asked: string[];
let upstream: Server;
let modified: Date;
const open: Server[] = [];

async function listen(server: Server): Promise<string> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "mirror-"));
  asked = [];
  modified = new Date("2026-01-02T03:04:05Z");
  upstream = createServer((incoming, response) => {
    asked.push(`${incoming.url}${incoming.headers["if-modified-since"] === undefined ? "" : " if-modified-since"}`);
    if (incoming.url === "/debian/gone") return response.writeHead(404).end();
    if (incoming.url === "/debian/moved") return response.writeHead(302, { location: "/debian/pool/a.deb" }).end();
    if (Date.parse(incoming.headers["if-modified-since"] ?? "") >= modified.getTime()) {
      return response.writeHead(304).end();
    }
    return response.writeHead(200, { "last-modified": modified.toUTCString() }).end(`body of ${incoming.url}`);
  });
});

afterEach(() => {
  for (const server of open.splice(0)) server.close().closeAllConnections();
  rmSync(cacheDir, { recursive: true });
});

async function mirrorOf(origin: string, indexFreshMs = 60_000): Promise<(path: string) => Promise<Response>> {
  const upstreams = [{ name: "127.0.0.1", origin }];
  const mirror = await listen(createMirror({ cacheDir, upstreams, indexFreshMs }));
  return (path) => fetch(`${mirror}${path}`);
}

it("fetches a package once, for ever, also for hosts that ask at the same time", async () => {
  const get = await mirrorOf(await listen(upstream));
  const answers = await Promise.all([get("/debian/pool/a.deb"), get("/debian/pool/a.deb")]);
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([
    "body of /debian/pool/a.deb",
    "body of /debian/pool/a.deb",
  ]);
  await get("/debian/pool/a.deb");
  expect(asked).toEqual(["/debian/pool/a.deb"]);
});

it("asks again for an index that is no longer fresh, and lives on the old one without its server", async () => {
  const get = await mirrorOf(await listen(upstream), 0);
  const first = await get("/debian/dists/trixie/InRelease");
  expect(first.headers.get("last-modified")).toBe(modified.toUTCString());
  await get("/debian/dists/trixie/InRelease");
  expect(asked).toEqual(["/debian/dists/trixie/InRelease", "/debian/dists/trixie/InRelease if-modified-since"]);
  upstream.close().closeAllConnections();
  expect(await (await get("/debian/dists/trixie/InRelease")).text()).toBe("body of /debian/dists/trixie/InRelease");
});

it("takes a newer index when there is one", async () => {
  const get = await mirrorOf(await listen(upstream), 0);
  await get("/debian/dists/trixie/InRelease");
  const file = join(cacheDir, "127.0.0.1/debian/dists/trixie/InRelease");
  utimesSync(file, new Date(0), new Date(0));
  expect((await get("/debian/dists/trixie/InRelease")).headers.get("last-modified")).toBe(modified.toUTCString());
});

it("answers what its server refuses, and 502 for a server that is not there", async () => {
  const get = await mirrorOf(await listen(upstream));
  expect((await get("/debian/gone")).status).toBe(404);
  upstream.close().closeAllConnections();
  expect((await get("/debian/pool/b.deb")).status).toBe(502);
});

it("follows a redirect", async () => {
  const get = await mirrorOf(await listen(upstream));
  expect(await (await get("/debian/moved")).text()).toBe("body of /debian/pool/a.deb");
});

it("knows its servers only, in both forms of a request, and stays inside its directory", () => {
  const options = { cacheDir: "/cache", upstreams: [{ name: "a.example", origin: "https://a.example:8443" }] };
  const file = (url: string, host?: string) => targetOf({ url, headers: { host } }, options)?.file;
  expect(file("/debian/x", "a.example")).toBe("/cache/a.example/debian/x");
  expect(file("http://a.example/debian/x", "ignored")).toBe("/cache/a.example/debian/x");
  expect(file("/debian/x", "other.example")).toBeUndefined();
  expect(file("/../../etc/passwd", "a.example")).toBe("/cache/a.example/etc/passwd");
  expect(file("/..%2f..%2fetc/passwd", "a.example")).toBeUndefined();
  expect(targetOf({ url: "/debian/x", headers: { host: "a.example" } }, options)?.url.href).toBe(
    "https://a.example:8443/debian/x",
  );
});
