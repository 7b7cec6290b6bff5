import { randomBytes } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { SecretsError } from "./reference.ts";

/**
 * Replaces a file as a whole: what is there afterwards is the old content or the new one, whenever the machine stops.
 * An existing file keeps its mode; a new one is 0600.
 * @throws SecretsError where it cannot be written
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const mode = await stat(path).then(
      (known) => known.mode & 0o777,
      () => 0o600,
    );
    const file = await open(draft, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(draft, { force: true });
    throw new SecretsError(`cannot write ${path}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

/** Makes the new name itself last. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
