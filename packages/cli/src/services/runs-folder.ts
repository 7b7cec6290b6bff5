import { resolve } from "node:path";

/** Where the journals of runs are: `.kb/runs` in the working directory, or what `KB_RUNS` names. */
export function runsFolder(directory: string): string {
  return resolve(directory, process.env["KB_RUNS"] ?? ".kb/runs");
}
