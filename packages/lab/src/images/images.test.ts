import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { describeOffer } from "./images.ts";
import { parseVersions } from "./layer.ts";
import { programFiles, proxysqlProgram } from "./proxysql-program.ts";
import { staleLayers } from "./prune.ts";
import { upstreamVersion } from "./publish.ts";
import { layerName } from "./recipe.ts";
import { renderRegistryConfig } from "./registry.ts";

const offer = describeOffer(await proxysqlProgram(""));

it("all images share one base layer", () => {
  const bases = new Set(offer.images.map(({ layers }) => layers[0] && layerName(layers[0])));
  expect([...bases]).toEqual([expect.stringMatching(/^debian-trixie-/)]);
});

it("every image says that it is not the official one", () => {
  for (const { config } of offer.images) {
    expect(config.Labels["org.opencontainers.image.description"]).toMatch(/^Not the official image/);
  }
});

it("the stand-in needs nothing beside its own folder and Node", () => {
  const folder = fileURLToPath(new URL("../proxysql", import.meta.url));
  for (const file of programFiles(folder).filter((path) => path.endsWith(".ts"))) {
    for (const [, target = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import\() ?"([^"]+)"/g)) {
      if (!target.startsWith("node:")) expect(resolve(dirname(file), target)).toContain(`${folder}/`);
    }
  }
});

it("a package or image of the stand-in holds no tests", () => {
  const folder = fileURLToPath(new URL("../proxysql", import.meta.url));
  expect(programFiles(folder).filter((path) => path.includes("test"))).toEqual([]);
});

it("layers of recipes that are no more are stale, tar and record alike", () => {
  const kept = offer.images.flatMap(({ layers }) => layers.map(layerName));
  const found = [...kept.flatMap((name) => [`${name}.tar`, `${name}.json`]), ...kept, "old-0123.tar", "old-0123"];
  expect(staleLayers(offer.images, found)).toEqual(["old-0123.tar", "old-0123"]);
});

it.each([
  ["1:11.8.6-0+deb13u1", "11.8.6"],
  ["2.7.1+keybuzzlab", "2.7.1+keybuzzlab"],
  ["1.2-3-4", "1.2-3"],
])("upstreamVersion of %s is %s", (debian, upstream) => {
  expect(upstreamVersion(debian)).toBe(upstream);
});

it("parseVersions reads the lines of dpkg-query", () => {
  expect(parseVersions("galera-4\t26.4.23-1\ngosu\t1.17-3\n")).toEqual({ "galera-4": "26.4.23-1", gosu: "1.17-3" });
});

it("a lab's registry takes no pushes", () => {
  const config = { address: "10.0.0.1", port: 5000, storage: "/srv", readOnly: true };
  const { http, storage } = JSON.parse(renderRegistryConfig(config));
  expect(http.addr).toBe("10.0.0.1:5000");
  expect(storage.maintenance.readonly).toEqual({ enabled: true });
  expect(storage.filesystem).toEqual({ rootdirectory: "/srv" });
});
