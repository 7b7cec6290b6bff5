import { createHash } from "node:crypto";

/** One file, directory or symbolic link of a {@link FilesLayer}. Owned by root unless said. */
export type FileEntry =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: string }
  | {
      readonly kind: "copy";
      readonly path: string;
      /** A file on this machine. */
      readonly from: string;
      readonly mode: number;
      /** What stands for the file's content in the recipe's key. */
      readonly fingerprint: string;
    }
  | {
      readonly kind: "directory";
      readonly path: string;
      readonly mode: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** A Debian root file system, made by debootstrap. */
export interface BaseLayer {
  readonly kind: "base";
  readonly name: string;
  readonly suite: string;
  /** POSIX sh, run with the root as `$1` once debootstrap is done. */
  readonly finish: string;
}

/** What installing Debian packages adds to a {@link BaseLayer}. */
export interface PackagesLayer {
  readonly kind: "packages";
  readonly name: string;
  readonly on: BaseLayer;
  readonly packages: readonly string[];
  /** POSIX sh, run inside the root before the packages are installed. */
  readonly before: string;
  /** POSIX sh, run inside the root after it. */
  readonly after: string;
}

/** Files of our own. */
export interface FilesLayer {
  readonly kind: "files";
  readonly name: string;
  readonly files: readonly FileEntry[];
}

export type LayerRecipe = BaseLayer | PackagesLayer | FilesLayer;

/** The run-time settings of an image, as in the OCI image specification (`config` of the image configuration). */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env: readonly string[];
  readonly ExposedPorts: Readonly<Record<string, Record<string, never>>>;
  readonly Volumes: Readonly<Record<string, Record<string, never>>>;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Everything that decides what an image is. Equal recipes have equal keys, and are built once. */
export interface ImageRecipe {
  /** Repository, as the registry has it: `library/mariadb`. */
  readonly repository: string;
  readonly tags: readonly [string, ...string[]];
  readonly layers: readonly LayerRecipe[];
  readonly config: ImageConfig;
  /** The package whose upstream version becomes a further tag, a label, and the value of an environment variable. */
  readonly version?: { readonly package: string; readonly env: string };
}

/** Raised when the way layers are made changes, so that what an older version built is built again. */
const BUILDER_VERSION = 1;

/**
 * The key of anything that is built from plain data: 16 hex digits of the SHA-256 of all that it says. The order of an
 * object's keys does not matter, nor where a `copy` entry lies on this machine: checkouts in different folders share
 * what they build.
 */
export function recipeKey(recipe: object): string {
  const text = JSON.stringify({ builder: BUILDER_VERSION, recipe }, (_key, value: unknown) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    const isCopy = "kind" in value && value.kind === "copy";
    const entries = Object.entries(value).filter(([name]) => !(isCopy && name === "from"));
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Name under which a layer, and the root that it is made from, are kept. */
export function layerName(recipe: LayerRecipe): string {
  return `${recipe.name}-${recipeKey(recipe)}`;
}
