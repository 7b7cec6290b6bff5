import { KbError } from "@keybuzz/runner";
import { chooseReporter, joinReporters, type OutputKind } from "../reporters/choose.ts";
import type { Reporter } from "../reporters/reporter.ts";
import { type OutputFlags, openOutput, parseOutputs } from "./outputs.ts";

/** What the command line says about output. */
export interface ReportFlags extends OutputFlags {
  readonly verbose: boolean;
  readonly diff: boolean;
  readonly quiet?: boolean | undefined;
}

/**
 * Does work that tells what it does as events, on standard output and in files. With JSON an error from before the run
 * is an event too; otherwise it is the caller's to show.
 */
export async function reported(flags: ReportFlags, work: (reporter: Reporter) => Promise<number>): Promise<number> {
  const { screen, files } = parseOutputs(flags);
  const { verbose, diff, quiet = false } = flags;
  const opened = files.map(({ kind, path }) => ({ kind, output: openOutput(path) }));
  const choose = (kind: OutputKind, output: Parameters<typeof chooseReporter>[1]): Reporter =>
    chooseReporter({ kind, verbose, diff, quiet }, output, process.env);
  const reporter = joinReporters([
    choose(screen, process.stdout),
    ...opened.map(({ kind, output }) => choose(kind, output)),
  ]);
  try {
    return await work(reporter);
  } catch (error) {
    if (screen !== "ndjson" || !(error instanceof KbError)) throw error;
    reporter.emit({ type: "run-failed", error });
    return error.exitCode;
  } finally {
    reporter.close();
    for (const { output } of opened) output.close();
  }
}
