import { mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { SecretsError } from "@keybuzz/runner";

/** f_type of tmpfs and ramfs. @see https://man7.org/linux/man-pages/man2/statfs.2.html */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

const PREFIX = "kb-secrets-";

/**
 * A folder in memory that nobody else can read, for clear text that an editor works on. It is removed with all that is
 * in it (an editor's own copies too) by `remove`, and whenever this process ends; what a killed one left, the next removes.
 * @throws SecretsError where there is no file system in memory
 */
export function makePrivateFolder(env: NodeJS.ProcessEnv): { readonly path: string; remove(): void } {
  const base = [env["XDG_RUNTIME_DIR"], "/dev/shm"].find((place) => place !== undefined && isInMemory(place));
  if (base === undefined) {
    throw new SecretsError("there is no file system in memory to edit a secret on", {
      detail: "tried: XDG_RUNTIME_DIR and /dev/shm",
      hint: "mount a tmpfs at /dev/shm; a disk would keep what was written to it",
    });
  }
  removeAbandoned(base);
  // mkdtemp(3) makes it with mode 0700.
  const path = mkdtempSync(join(base, `${PREFIX}${process.pid}-`));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const onSignal = (signal: NodeJS.Signals): void => {
    remove();
    process.off(signal, onSignal);
    process.kill(process.pid, signal);
  };
  const signals = ["SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  process.once("exit", remove);
  return {
    path,
    remove: () => {
      remove();
      process.off("exit", remove);
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

function isInMemory(path: string): boolean {
  try {
    return IN_MEMORY.includes(statfsSync(path).type);
  } catch {
    return false;
  }
}

/** Folders of processes that are gone: killed, they could not remove them. */
function removeAbandoned(base: string): void {
  for (const name of readdirSync(base)) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(base, name), { recursive: true, force: true });
    } catch {
      // Another user's: not ours to remove.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
