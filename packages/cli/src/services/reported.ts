import { KbError } from "@keybuzz/runner";
import { chooseReporter, type ReportOptions } from "../reporters/choose.ts";
import type { Reporter } from "../reporters/reporter.ts";

/**
 * Does work that tells what it does as events, on standard output. With JSON an error from before the run is an event
 * too; otherwise it is the caller's to show.
 */
export async function reported(options: ReportOptions, work: (reporter: Reporter) => Promise<number>): Promise<number> {
  const reporter = chooseReporter(options, process.stdout, process.env);
  try {
    return await work(reporter);
  } catch (error) {
    if (!options.json || !(error instanceof KbError)) throw error;
    reporter.emit({ type: "run-failed", error });
    return error.exitCode;
  } finally {
    reporter.close();
  }
}
