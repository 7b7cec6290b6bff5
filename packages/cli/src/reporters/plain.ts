import { makeReport } from "./quiet.ts";
import type { Output, Reporter } from "./reporter.ts";
import type { TextOptions } from "./text-report.ts";

/** Lines as they come, for logs and pipes. */
export function plainReporter(output: Output, options: TextOptions, quiet = false): Reporter {
  const report = makeReport(options, quiet);
  return {
    emit(event) {
      for (const line of report.next(event)) output.write(`${line}\n`);
    },
    suspend: () => () => {},
    close: () => {},
  };
}
