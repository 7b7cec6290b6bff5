import { join } from "node:path";
import { labRoot } from "../lab-dir.ts";

/** Where images, the extra package repository and their caches are kept. Shared by every lab of the machine. */
export interface ImagePaths {
  readonly root: string;
  /** Finished layers: `NAME-KEY.tar` and `NAME-KEY.json`. */
  readonly layers: string;
  /** Unpacked base roots, the lower directories of package layers. */
  readonly roots: string;
  /** The registry's storage. */
  readonly storage: string;
  /** One file for each published image or package: the recipe it was made from. */
  readonly published: string;
  /** The signed apt repository's files. */
  readonly repository: string;
  /** Private keys: the package repository's and the certificate authority's. Mode 0700. */
  readonly keys: string;
  /** Half-made things. Emptied at the start of every build. */
  readonly work: string;
  readonly lock: string;
}

/** The paths below `root`, by default the folder `images` of the lab's own (`KB_LAB_DIR`). */
export function imagePaths(root: string = join(labRoot(), "images")): ImagePaths {
  return {
    root,
    layers: join(root, "layers"),
    roots: join(root, "roots"),
    storage: join(root, "registry"),
    published: join(root, "published"),
    repository: join(root, "apt"),
    keys: join(root, "keys"),
    work: join(root, "work"),
    lock: join(root, "lock"),
  };
}
