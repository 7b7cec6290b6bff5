import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { composeImage, platformArchitecture } from "./oci.ts";
import type { ImageConfig } from "./recipe.ts";

const config: ImageConfig = {
  Entrypoint: ["program"],
  Env: ["PATH=/bin"],
  ExposedPorts: { "3306/tcp": {} },
  Volumes: { "/data": {} },
  Labels: {},
};
const layers = [
  { digest: `sha256:${"a".repeat(64)}`, sizeBytes: 10 },
  { digest: `sha256:${"b".repeat(64)}`, sizeBytes: 20 },
];
const about = { created: "2026-01-01T00:00:00.000Z", ref: "image", architecture: "amd64" } as const;
const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

describe("composeImage", () => {
  const image = composeImage(config, layers, about);

  it("chains index, manifest and configuration by digest and size", () => {
    const [entry] = JSON.parse(image.index).manifests;
    expect(entry.digest).toBe(digestOf(image.manifest.text));
    expect(entry.size).toBe(image.manifest.text.length);
    expect(JSON.parse(image.manifest.text).config.digest).toBe(digestOf(image.config.text));
  });

  it("lists the layers in order, in the manifest and as diff ids", () => {
    const digests = layers.map(({ digest }) => digest);
    expect(JSON.parse(image.manifest.text).layers.map((layer: { digest: string }) => layer.digest)).toEqual(digests);
    expect(JSON.parse(image.config.text).rootfs).toEqual({ type: "layers", diff_ids: digests });
  });

  it("names the manifest and the platform in the index", () => {
    const [entry] = JSON.parse(image.index).manifests;
    expect(entry.annotations).toEqual({ "org.opencontainers.image.ref.name": "image" });
    expect(entry.platform).toEqual({ os: "linux", architecture: "amd64" });
  });

  it("hands the run-time settings on as they are", () => {
    expect(JSON.parse(image.config.text).config).toEqual(config);
  });
});

describe("platformArchitecture", () => {
  it("knows the names that images use", () => {
    expect(platformArchitecture("x64")).toBe("amd64");
    expect(platformArchitecture("arm64")).toBe("arm64");
  });

  it("refuses what no image is built for", () => {
    expect(() => platformArchitecture("riscv64")).toThrow(/riscv64.*amd64 or arm64/);
  });
});
