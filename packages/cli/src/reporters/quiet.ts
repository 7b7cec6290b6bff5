import type { RunEvent } from "@keybuzz/runner";
import { type TextOptions, TextReport } from "./text-report.ts";

/** Turns events into lines. */
export interface LineReport {
  next(event: RunEvent): readonly string[];
}

/** What `--quiet` leaves out: all but changes, doubts, failures, warnings and the recap. */
const LEFT_OUT: readonly RunEvent["type"][] = ["run-start", "phase", "batch", "table"];

/** The lines for people, all of them or with `--quiet` those that ask for attention. */
export function makeReport(options: TextOptions, quiet: boolean): LineReport {
  const report = new TextReport(options);
  if (!quiet) return report;
  return {
    next(event) {
      // It has to see every event, to know what the later ones mean.
      const lines = report.next(event);
      const isLoud = event.type === "note" && event.level === "info";
      return isLoud || LEFT_OUT.includes(event.type) ? [] : lines;
    },
  };
}
