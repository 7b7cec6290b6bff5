import type { Output, Reporter } from "./reporter.ts";
import { type TextOptions, TextReport } from "./text-report.ts";

/** Lines as they come, for logs and pipes. */
export function plainReporter(output: Output, options: TextOptions): Reporter {
  const report = new TextReport(options);
  return {
    emit(event) {
      for (const line of report.next(event)) output.write(`${line}\n`);
    },
    suspend: () => () => {},
    close: () => {},
  };
}
