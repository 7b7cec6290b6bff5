import { relative } from "node:path";

/** A path as a person would type it: relative below the working directory, absolute elsewhere. */
export function shownPath(file: string, directory: string = process.cwd()): string {
  const path = relative(directory, file);
  return path === "" || path.startsWith("..") ? file : path;
}
