import { type Touched, type Unmet, unmet } from "@keybuzz/runner";

/** Altered by every task that makes a file system. */
export const NEW_FILESYSTEM = "filesystem";

/** Altered by a task that mounts or unmounts a file system: all that is below changes with it. */
export function mountedAt(path: string): string {
  return `mounted:${path}`;
}

/** Altered by a task that removes a user: userdel(8) takes the group of the same name with it. */
export function removedUser(name: string): string {
  return `removed-user:${name}`;
}

/**
 * What earlier tasks will leave at a path that is on, or below, a mount point which they change: `current` where they
 * change none, `onEmpty` where they make the file system that they mount. Otherwise check mode cannot look into it.
 */
export function foreseeBelowMounts<S>(
  path: string,
  touched: Touched,
  current: S | null,
  onEmpty: (depth: "root" | "below") => S | null,
): S | null | Unmet {
  const point = [path, ...directoriesAbove(path)].find((directory) => touched.has(mountedAt(directory)));
  if (point === undefined) return current;
  if (touched.has(NEW_FILESYSTEM)) return onEmpty(point === path ? "root" : "below");
  return unmet(`what is on ${point} is seen once the change of its mount is made`);
}

/** All directories above an absolute path, without the root. */
function directoriesAbove(path: string): readonly string[] {
  const names = path.split("/").slice(1, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`);
}
