import type { LabStatus, StepReport } from "@keybuzz/lab";
import { labLines } from "../reporters/lab-lines.ts";
import { renderDuration } from "../reporters/recap.ts";
import { printJson, printLines } from "./print.ts";

/** A step of a lab, on standard error: standard output is for what was asked. */
export function printStep({ text, ms }: StepReport): void {
  process.stderr.write(`${renderDuration(ms).padStart(12)}  ${text}\n`);
}

/** How a lab is. */
export function printLab(status: LabStatus, json: boolean): void {
  if (json) printJson(status);
  else printLines((paint) => labLines(status, paint));
}
