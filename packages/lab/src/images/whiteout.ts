import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { command } from "../command.ts";

/**
 * The paths that a layer takes away from the root below it: those of `before` that `after` lacks. Of a directory that is
 * gone as a whole only the directory itself is named.
 */
export function removedPaths(before: readonly string[], after: readonly string[]): string[] {
  const kept = new Set(after);
  const gone = new Set(before.filter((path) => !kept.has(path)));
  return [...gone].filter((path) => !gone.has(dirname(path))).sort();
}

/**
 * Turns the upper directory of an overlay mount into the content of an image layer, in place.
 *
 * An overlay marks what was removed by a character device 0:0, an image layer by an empty file named `.wh.NAME`.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
export async function writeWhiteouts(upper: string, removed: readonly string[]): Promise<void> {
  await command(["find", upper, "-xdev", "-type", "c", "-delete"]);
  for (const path of removed) {
    const directory = join(upper, dirname(path));
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `.wh.${basename(path)}`), "");
  }
}
