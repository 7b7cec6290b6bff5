import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";

/**
 * The commit that the checkout of a file is at; undefined outside of one. Changes that are not committed do not show.
 * @see https://git-scm.com/docs/gitrepository-layout
 */
export function readCommit(file: string): string | undefined {
  try {
    const folder = findGitFolder(dirname(file));
    return folder === undefined ? undefined : commitOf(folder);
  } catch {
    return undefined;
  }
}

/** `.git` of the nearest folder above that has one; in a worktree that is a file which names it. */
function findGitFolder(directory: string): string | undefined {
  const git = join(directory, ".git");
  if (existsSync(git)) {
    if (statSync(git).isDirectory()) return git;
    const named = /^gitdir: (.+)$/m.exec(readFileSync(git, "utf8"))?.[1];
    return named === undefined ? undefined : resolve(directory, named);
  }
  return dirname(directory) === directory ? undefined : findGitFolder(dirname(directory));
}

function commitOf(folder: string): string | undefined {
  const head = readFileSync(join(folder, "HEAD"), "utf8").trim();
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  if (ref === undefined) return head;
  const common = commonFolder(folder);
  const loose = [folder, common].map((place) => join(place, ref)).find((path) => existsSync(path));
  if (loose !== undefined) return readFileSync(loose, "utf8").trim();
  const packed = readFileSync(join(common, "packed-refs"), "utf8");
  return packed
    .split("\n")
    .find((line) => line.endsWith(` ${ref}`))
    ?.split(" ")[0];
}

function commonFolder(folder: string): string {
  const file = join(folder, "commondir");
  if (!existsSync(file)) return folder;
  const named = readFileSync(file, "utf8").trim();
  return isAbsolute(named) ? named : join(folder, named);
}
