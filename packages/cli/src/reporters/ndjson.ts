import type { RunEvent } from "@keybuzz/runner";
import type { Output, Reporter } from "./reporter.ts";
import { safeJson } from "./safe-text.ts";

/** One event a line, as JSON; errors are objects of `code`, `message`, `detail`, `hint`, `host`, `task` and `where`. See docs/events.md. */
export function ndjsonReporter(output: Output): Reporter {
  return {
    emit: (event) => void output.write(`${renderEvent(event)}\n`),
    suspend: () => () => {},
    close: () => {},
  };
}

/** An event as one line of JSON, safe to look at on a terminal. */
export function renderEvent(event: RunEvent): string {
  return safeJson(JSON.stringify(event));
}
