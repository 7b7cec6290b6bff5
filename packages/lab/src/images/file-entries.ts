import { chmod, chown, copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileEntry } from "./recipe.ts";

/** Writes entries below `root`, which it creates, and returns `root`. Missing parents get mode 0755. */
export async function writeEntries(entries: readonly FileEntry[], root: string): Promise<string> {
  await makeDirectory(root);
  for (const entry of entries) {
    const path = join(root, entry.path);
    await makeDirectory(entry.kind === "directory" ? path : dirname(path));
    switch (entry.kind) {
      case "file":
        await writeFile(path, entry.content);
        break;
      case "copy":
        await copyFile(entry.from, path);
        break;
      case "link":
        await symlink(entry.target, path);
        break;
      case "directory":
        await chown(path, entry.uid ?? 0, entry.gid ?? 0);
    }
    if (entry.kind !== "link") await chmod(path, entry.mode);
  }
  return root;
}

/** Creates a directory and those above it, none of them writable for others whatever this process's umask is. */
async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  for (let made = path; first !== undefined && made.length >= first.length; made = dirname(made)) {
    await chmod(made, 0o755);
  }
}
