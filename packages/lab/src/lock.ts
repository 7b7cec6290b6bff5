import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./errors.ts";
import { labsDir, makePrivateDir } from "./lab-dir.ts";

const DEFAULT_WAIT_MS = 60_000;

/**
 * Do `work` while no other process changes the lab `name`. A lock whose owner is gone is taken over.
 *
 * @throws {LabError} when another process still holds it after `waitMs` (default a minute).
 */
export async function withLock<T>(name: string, work: () => Promise<T>, waitMs = DEFAULT_WAIT_MS): Promise<T> {
  makePrivateDir(labsDir());
  const lock = join(labsDir(), `.${name}.lock`);
  const mine = `${lock}-${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, born: birthOf(process.pid) }));
  try {
    const deadline = Date.now() + waitMs;
    // A hard link appears with its content in one step, or fails because the name is taken.
    while (!tryLink(mine, lock)) {
      const owner = readOwner(lock);
      if (owner === undefined || birthOf(owner.pid) !== owner.born) {
        rmSync(lock, { force: true });
        continue;
      }
      if (Date.now() > deadline) {
        throw new LabError(`${name} is being changed by process ${owner.pid}, for over ${waitMs} ms: wait for it`);
      }
      await sleep(200);
    }
    try {
      return await work();
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function readOwner(lock: string): { readonly pid: number; readonly born: string | undefined } | undefined {
  try {
    return JSON.parse(readFileSync(lock, "utf8"));
  } catch {
    return undefined; // Let go of since we looked.
  }
}

/** When a process was born, in clock ticks since boot: with its id, a name that is never given twice. */
function birthOf(pid: number): string | undefined {
  try {
    // The command's name, in parentheses, may hold spaces; field 22 is the 20th after it.
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19];
  } catch {
    return undefined;
  }
}
