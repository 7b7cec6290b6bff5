import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFileServer, filePath } from "./origin.ts";

describe("filePath", () => {
  it.each([
    ["/dists/Release", "/srv/dists/Release"],
    ["/a/../b", "/srv/b"],
    ["/../../etc/passwd", "/srv/etc/passwd"],
    ["/%2e%2e/%2e%2e/etc/passwd", "/srv/etc/passwd"],
    ["/..%2f..%2fetc/passwd", "/srv/etc/passwd"],
    ["/proxysql_2.7.1%2bkeybuzzlab_amd64.deb?x=1", "/srv/proxysql_2.7.1+keybuzzlab_amd64.deb"],
  ])("%s stays below the directory: %s", (url, path) => {
    expect(filePath("/srv", url)).toBe(path);
  });

  it.each(["/%", "/%00", "http://"])("%s names no file", (url) => {
    expect(filePath("/srv", url)).toBeUndefined();
  });
});

describe("createFileServer", () => {
  let directory: string;
  let base: string;
  const server = () => createFileServer(directory);
  let running: ReturnType<typeof server>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "kb-origin-"));
    await mkdir(join(directory, "folder"));
    await writeFile(join(directory, "folder/file"), "content");
    running = server().listen(0, "127.0.0.1");
    await once(running, "listening");
    base = `http://127.0.0.1:${(running.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    running.close();
    await rm(directory, { recursive: true });
  });

  it("serves a file with its size and age", async () => {
    const answer = await fetch(`${base}/folder/file`);
    expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "7", "content"]);
    const { mtime } = await stat(join(directory, "folder/file"));
    expect(answer.headers.get("last-modified")).toBe(mtime.toUTCString());
  });

  it("answers HEAD without the content", async () => {
    const answer = await fetch(`${base}/folder/file`, { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });

  it("says that a file is as it was, to who has it", async () => {
    const { mtime } = await stat(join(directory, "folder/file"));
    const headers = { "if-modified-since": mtime.toUTCString() };
    expect((await fetch(`${base}/folder/file`, { headers })).status).toBe(304);
  });

  it.each(["/folder", "/folder/other", "/"])("has no file %s", async (path) => {
    expect((await fetch(base + path)).status).toBe(404);
  });

  it("takes nothing", async () => {
    expect((await fetch(`${base}/folder/file`, { method: "PUT", body: "x" })).status).toBe(405);
  });
});
