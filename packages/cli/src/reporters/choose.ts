import { githubReporter } from "./github.ts";
import { junitReporter } from "./junit.ts";
import { ndjsonReporter } from "./ndjson.ts";
import { onelineReporter } from "./oneline.ts";
import { plainReporter } from "./plain.ts";
import type { Output, Reporter } from "./reporter.ts";
import { makePaint, wantsColours } from "./style.ts";
import { ttyReporter } from "./tty.ts";

/** The forms that a run's output can have. */
export const OUTPUT_KINDS = ["text", "oneline", "ndjson", "junit", "github"] as const;

export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** What the command line says about output. */
export interface ReportOptions {
  readonly kind: OutputKind;
  readonly verbose: boolean;
  readonly diff: boolean;
  readonly quiet: boolean;
}

/** The reporter of a kind; for text a live one on a terminal that can move its cursor, plain lines elsewhere. */
export function chooseReporter(options: ReportOptions, output: Output, env: NodeJS.ProcessEnv): Reporter {
  const { kind, verbose, diff, quiet } = options;
  const text = { verbose, diff, paint: makePaint(wantsColours(output, env)) };
  switch (kind) {
    case "ndjson":
      return ndjsonReporter(output);
    case "oneline":
      return onelineReporter(output);
    case "junit":
      return junitReporter(output);
    case "github":
      return githubReporter(output, text, quiet);
    case "text": {
      const isLive = output.isTTY === true && env["TERM"] !== "dumb";
      return isLive ? ttyReporter(output, text, quiet) : plainReporter(output, text, quiet);
    }
  }
}

/** Several reporters as one. */
export function joinReporters(reporters: readonly Reporter[]): Reporter {
  return {
    emit(event) {
      for (const reporter of reporters) reporter.emit(event);
    },
    suspend() {
      const resumes = reporters.map((reporter) => reporter.suspend());
      return () => {
        for (const resume of resumes) resume();
      };
    },
    close() {
      for (const reporter of reporters) reporter.close();
    },
  };
}
