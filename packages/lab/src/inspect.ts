import { allProcessesOf, labCgroup } from "./cgroup.ts";
import { labPaths } from "./lab-dir.ts";

/** Where a lab keeps its keys, its logs and its hosts' disks. */
export function labDirectory(name: string): string {
  return labPaths(name).dir;
}

/** Process ids, on the machine, of all that a lab runs: its services and everything in its hosts. */
export function labProcesses(name: string): readonly number[] {
  return allProcessesOf(labCgroup(name));
}
