import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { command } from "../command.ts";
import { renderPackages, renderRelease } from "./apt-index.ts";
import { buildDeb, type DebRecipe, debFileName, renderControl } from "./deb.ts";

const recipe: DebRecipe = {
  package: "thing",
  version: "1:2.0-1",
  architecture: "all",
  depends: ["libc6", "adduser"],
  description: ["does things", "More of it.", "", "And more."],
  files: [
    { kind: "file", path: "/etc/thing.conf", mode: 0o640, content: "a = 1\n" },
    { kind: "link", path: "/usr/bin/thing", target: "../lib/thing" },
    { kind: "directory", path: "/var/lib/thing", mode: 0o700 },
  ],
  conffiles: ["/etc/thing.conf"],
  scripts: { postinst: "#!/bin/sh\n" },
};

describe("renderControl", () => {
  it("writes the fields, the long description indented, an empty line as a dot", () => {
    expect(renderControl(recipe)).toBe(
      [
        "Package: thing",
        "Version: 1:2.0-1",
        "Architecture: all",
        "Maintainer: KeyBuzz lab <lab@keybuzz.invalid>",
        "Section: misc",
        "Priority: optional",
        "Depends: libc6, adduser",
        "Description: does things",
        " More of it.",
        " .",
        " And more.",
        "",
      ].join("\n"),
    );
  });

  it("leaves Depends out when there is nothing to depend on", () => {
    expect(renderControl({ ...recipe, depends: [] })).not.toContain("Depends");
  });
});

it("debFileName leaves the epoch out", () => {
  expect(debFileName(recipe)).toBe("thing_2.0-1_all.deb");
});

describe("renderPackages", () => {
  it("adds to each control file where the package is, how large, and its sum; stanzas are one empty line apart", () => {
    const control = "Package: thing\nDescription: does things\n";
    const text = renderPackages([
      { control, fileName: "thing_1_all.deb", content: Buffer.from("one") },
      { control, fileName: "thing_2_all.deb", content: Buffer.from("two!") },
    ]);
    expect(text).toBe(
      [
        "Package: thing",
        "Description: does things",
        "Filename: ./thing_1_all.deb",
        "Size: 3",
        "SHA256: 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
        "",
        "Package: thing",
        "Description: does things",
        "Filename: ./thing_2_all.deb",
        "Size: 4",
        "SHA256: a97b629a5b1da759586c3353a9bc284bf673970d8eca56e11e556b715c329614",
        "",
      ].join("\n"),
    );
  });
});

describe("renderRelease", () => {
  it("dates in the form that apt reads, and sums up each index", () => {
    const date = new Date("2026-01-02T03:04:05Z");
    const text = renderRelease({ Packages: Buffer.from("one") }, { label: "lab", architecture: "amd64", date });
    expect(text).toContain("Date: Fri, 02 Jan 2026 03:04:05 UTC\n");
    expect(text).toContain("SHA256:\n 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed 3 Packages\n");
  });
});

describe("buildDeb", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "kb-deb-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("makes a package that dpkg reads back: fields, files of root, modes, conffiles", async () => {
    const deb = await buildDeb(recipe, directory, directory);
    const fields = await command(["dpkg-deb", "--field", deb, "Version", "Depends"]);
    expect(fields.stdout).toBe("Version: 1:2.0-1\nDepends: libc6, adduser\n");
    expect((await command(["dpkg-deb", "--info", deb, "conffiles"])).stdout).toBe("/etc/thing.conf\n");
    const files = (await command(["dpkg-deb", "--contents", deb])).stdout;
    expect(files).toMatch(/^-rw-r----- root\/root +6 .* \.\/etc\/thing\.conf$/m);
    expect(files).toMatch(/^drwx------ root\/root .* \.\/var\/lib\/thing\/$/m);
    expect(files).toMatch(/\.\/usr\/bin\/thing -> \.\.\/lib\/thing$/m);
  });
});
