import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeOffer } from "./images.ts";
import { proxysqlProgram } from "./proxysql-program.ts";

describe("proxysqlProgram", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "kb-proxysql-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function binary(says: string): Promise<string> {
    const path = join(directory, "proxysql");
    await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
    await chmod(path, 0o755);
    return path;
  }

  it("is the stand-in when no binary is named", async () => {
    expect(await proxysqlProgram("")).toMatchObject({ kind: "stand-in", version: "2.7.1" });
  });

  it("is the binary that is named, in the version that it says it has", async () => {
    const path = await binary("ProxySQL version 3.0.1-2-gabc, codename Truls");
    const program = await proxysqlProgram(path);
    expect(program).toMatchObject({ kind: "real", version: "3.0.1", runtime: [] });
    expect(program.files).toEqual([expect.objectContaining({ path: "/usr/bin/proxysql", from: path })]);
  });

  it("decides tags, package version and the repository's path", async () => {
    const { images, repositories } = describeOffer(await proxysqlProgram(await binary("ProxySQL version 3.0.1")));
    expect(images.find(({ repository }) => repository === "proxysql/proxysql")?.tags).toEqual(["3.0", "3.0.1"]);
    expect(repositories[0]).toMatchObject({
      path: "ProxySQL/proxysql-3.0.x/trixie",
      packages: [{ package: "proxysql", version: "3.0.1+keybuzzlab" }],
    });
  });

  it("refuses what does not say a version", async () => {
    await expect(proxysqlProgram(await binary("hello"))).rejects.toThrow(/KB_LAB_PROXYSQL=.*hello/);
  });

  it("refuses what is not there", async () => {
    await expect(proxysqlProgram(join(directory, "missing"))).rejects.toThrow(/missing/);
  });
});
