import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { RunRecord } from "./run-record.ts";

type RecordedProcess = RunRecord["process"];

/** The process that kb runs in. */
export function thisProcess(): RecordedProcess {
  return { pid: process.pid, host: hostname(), startTicks: readStartTicks(process.pid) };
}

/** Whether a process still runs; undefined where it was started on another machine. */
export function isRunning({ pid, host, startTicks }: RecordedProcess): boolean | undefined {
  if (host !== hostname()) return undefined;
  const ticks = readStartTicks(pid);
  if (ticks !== null) return startTicks === null || ticks === startTicks;
  try {
    process.kill(pid, 0);
    return startTicks === null;
  } catch (error) {
    // A process of somebody else's (EPERM) is there all the same.
    return startTicks === null && error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readStartTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; nobody has asked how yet.
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
