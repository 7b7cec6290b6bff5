import type { RunEvent } from "@keybuzz/runner";
import { githubReporter } from "../../packages/cli/src/reporters/github.ts";
import { junitReporter } from "../../packages/cli/src/reporters/junit.ts";
import { ndjsonReporter } from "../../packages/cli/src/reporters/ndjson.ts";
import { onelineReporter } from "../../packages/cli/src/reporters/oneline.ts";
import { plainReporter } from "../../packages/cli/src/reporters/plain.ts";
import type { Output, Reporter } from "../../packages/cli/src/reporters/reporter.ts";
import { makePaint } from "../../packages/cli/src/reporters/style.ts";
import { ttyReporter } from "../../packages/cli/src/reporters/tty.ts";

const OPTIONS = { paint: makePaint(false), verbose: true, diff: true };

/** Every form in which a run is told. */
export const REPORTERS: Readonly<Record<string, (output: Output) => Reporter>> = {
  plain: (output) => plainReporter(output, OPTIONS),
  tty: (output) => ttyReporter(output, OPTIONS),
  oneline: onelineReporter,
  ndjson: ndjsonReporter,
  junit: junitReporter,
  github: (output) => githubReporter(output, OPTIONS, false, "token"),
};

/** What a reporter writes about a run. */
export function told(make: (output: Output) => Reporter, events: readonly RunEvent[]): string {
  let text = "";
  const reporter = make({
    write: (part) => {
      text += part;
    },
    columns: 100,
    rows: 40,
  });
  for (const event of events) reporter.emit(event);
  reporter.close();
  return text;
}
