import { createHash } from "node:crypto";
import { LabError } from "../errors.ts";
import type { ImageConfig } from "./recipe.ts";

/** A processor architecture by the name that images (and Debian) give it. */
export type Architecture = "amd64" | "arm64";

/** The architecture of a machine by Node's name for it. @throws {LabError} when images are not built for it. */
export function platformArchitecture(arch: string): Architecture {
  if (arch === "x64") return "amd64";
  if (arch === "arm64") return arch;
  throw new LabError(`no images are built on a machine of architecture ${arch}: use amd64 or arm64`, { exitCode: 2 });
}

/** A blob of an image layout that is made in memory. */
export interface Blob {
  readonly digest: string;
  readonly text: string;
}

/** The documents of an image beside its layers. */
export interface ImageDocuments {
  /** The image configuration. */
  readonly config: Blob;
  readonly manifest: Blob;
  /** Content of the layout's `index.json`, which names the manifest by `ref`. */
  readonly index: string;
}

const MEDIA_TYPES = {
  config: "application/vnd.oci.image.config.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;

/**
 * Composes the configuration, the manifest and the index of a single-platform image.
 *
 * @param created ISO 8601 time of the image.
 * @param ref name under which the index lists the manifest.
 * @see https://github.com/opencontainers/image-spec/blob/main/manifest.md
 */
export function composeImage(
  config: ImageConfig,
  layers: readonly { readonly digest: string; readonly sizeBytes: number }[],
  { created, ref, architecture }: { created: string; ref: string; architecture: Architecture },
): ImageDocuments {
  const configBlob = blob({
    created,
    architecture,
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.digest) },
    history: layers.map(() => ({ created, created_by: "KeyBuzz lab" })),
  });
  const manifest = blob({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: descriptor(MEDIA_TYPES.config, configBlob),
    layers: layers.map(({ digest, sizeBytes }) => ({ mediaType: MEDIA_TYPES.layer, digest, size: sizeBytes })),
  });
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: [
      {
        ...descriptor(MEDIA_TYPES.manifest, manifest),
        platform: { os: "linux", architecture },
        annotations: { "org.opencontainers.image.ref.name": ref },
      },
    ],
  });
  return { config: configBlob, manifest, index };
}

function blob(document: unknown): Blob {
  const text = JSON.stringify(document);
  return { text, digest: `sha256:${createHash("sha256").update(text).digest("hex")}` };
}

function descriptor(mediaType: string, { digest, text }: Blob) {
  return { mediaType, digest, size: Buffer.byteLength(text) };
}
