import type { HostRecap, KbError, RunEvent } from "@keybuzz/runner";
import type { Output, Reporter } from "./reporter.ts";
import { safeLine } from "./safe-text.ts";

/** One line a host at the end of the run, in columns that scripts can cut: host, status, counts, and why it failed. */
export function onelineReporter(output: Output): Reporter {
  const errors = new Map<string, KbError>();
  const print = (columns: readonly (string | undefined)[]): void => {
    const shown = columns.filter((column) => column !== undefined).map(safeLine);
    output.write(`${shown.join(" | ")}\n`);
  };
  let mode: "check" | "apply" = "apply";
  const emit = (event: RunEvent): void => {
    if (event.type === "run-start") mode = event.mode;
    else if (event.type === "host-failed" || event.type === "host-unreachable") errors.set(event.host, event.error);
    else if (event.type === "run-failed") print(["-", "stopped", describeError(event.error)]);
    else if (event.type === "run-end") {
      for (const host of event.recap) {
        const error = errors.get(host.host);
        print([host.host, statusOf(host, mode), countsOf(host), error && describeError(error)]);
      }
    }
  };
  return { emit, suspend: () => () => {}, close: () => {} };
}

function statusOf({ unreachable, failed, changed, unknown }: HostRecap, mode: "check" | "apply"): string {
  if (unreachable) return "unreachable";
  if (failed > 0) return "failed";
  if (mode === "check") return changed + unknown > 0 ? "would change" : "ok";
  return changed > 0 ? "changed" : "ok";
}

function countsOf({ ok, changed, unknown, skipped, failed }: HostRecap): string {
  return `ok=${ok} changed=${changed} unknown=${unknown} skipped=${skipped} failed=${failed}`;
}

function describeError({ place, message }: KbError): string {
  return place.task === undefined ? message : `${place.task}: ${message}`;
}
