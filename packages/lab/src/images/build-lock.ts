import { spawn } from "node:child_process";
import { once } from "node:events";
import { LabError } from "../errors.ts";

const LOCK_TIMEOUT_S = 900;

/**
 * Runs `work` while no other process of this machine holds the same lock file.
 *
 * flock(1) holds the lock for as long as its standard input stays open, so it is freed when this process ends in
 * whichever way.
 *
 * @throws {LabError} when the lock is not free within 15 minutes.
 * @see man 1 flock
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const argv = ["--exclusive", "--timeout", String(LOCK_TIMEOUT_S), path, "sh", "-c", "echo held; exec cat"];
  const holder = spawn("flock", argv, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(holder, "exit");
  const first = await Promise.race([once(holder.stdout, "data").then(() => "held" as const), exited]);
  if (first !== "held") throw new LabError(`another build holds ${path} for longer than ${LOCK_TIMEOUT_S} s`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await exited;
  }
}
