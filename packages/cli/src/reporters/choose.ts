import { ndjsonReporter } from "./ndjson.ts";
import { plainReporter } from "./plain.ts";
import type { Output, Reporter } from "./reporter.ts";
import { makePaint, wantsColours } from "./style.ts";
import { ttyReporter } from "./tty.ts";

/** What the command line says about output. */
export interface ReportOptions {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly diff: boolean;
}

/** The reporter that fits: JSON where asked, a live one on a terminal that can move its cursor, plain lines elsewhere. */
export function chooseReporter(options: ReportOptions, output: Output, env: NodeJS.ProcessEnv): Reporter {
  if (options.json) return ndjsonReporter(output);
  const text = { verbose: options.verbose, diff: options.diff, paint: makePaint(wantsColours(output, env)) };
  return output.isTTY === true && env["TERM"] !== "dumb" ? ttyReporter(output, text) : plainReporter(output, text);
}
