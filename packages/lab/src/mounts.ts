import { readFileSync } from "node:fs";
import { command } from "./command.ts";

/** Unmount all that is mounted at a directory or below it, the deepest and latest first. */
export async function unmountBelow(dir: string): Promise<void> {
  const points = mountPoints().filter((point) => point === dir || point.startsWith(`${dir}/`));
  // Lazily: what a dying process still holds goes with that process.
  for (const point of points.toReversed()) await command(["umount", "--lazy", point]);
}

/** Mount points of this process' namespace, in the order in which they were mounted. */
function mountPoints(): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
}
