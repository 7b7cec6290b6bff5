import type { HostRecap, KbError, RunEvent } from "@keybuzz/runner";
import type { Paint, Tone } from "./style.ts";
import { type Cell, renderTable } from "./table.ts";

type RunEnd = Extract<RunEvent, { type: "run-end" }>;

/** How a run went, for its last lines. */
export interface RecapOptions {
  readonly mode: "check" | "apply";
  readonly paint: Paint;
  /** Round trips too. */
  readonly verbose: boolean;
  /** Why hosts left the run. */
  readonly errors: ReadonlyMap<string, KbError>;
  /** Whether the playbook came to its end. */
  readonly stopped: boolean;
}

/** Failures that did not take their host out of the run: shown where there were any. */
const HANDLED = ["rescued", "ignored"] as const;

/** What became of each host, and of the whole. */
export function recapLines({ recap, ms }: RunEnd, options: RecapOptions): string[] {
  const { paint } = options;
  const handled = HANDLED.filter((field) => recap.some((host) => host[field] > 0));
  const rows = recap.map((host) => recapRow(host, handled, options));
  const told = recap.some((host) => tasksOf(host) > 0 || host.failed > 0);
  const changed = options.mode === "check" ? "would change" : "changed";
  const more = [...handled, ...(options.verbose ? ["round trips"] : [])];
  const columns = ["", "ok", changed, "unknown", "skipped", "failed", ...more, ""];
  const table = told ? ["", ...renderTable(columns, rows, paint)] : [];
  const time = `${recap.length} ${recap.length === 1 ? "host" : "hosts"} in ${renderDuration(ms)}`;
  return [...table, "", `${paint("strong", time)}: ${verdict(recap, options, told)}`];
}

function tasksOf({ ok, changed, unknown, skipped }: HostRecap): number {
  return ok + changed + unknown + skipped;
}

function recapRow(
  host: HostRecap,
  handled: readonly (typeof HANDLED)[number][],
  { verbose, errors }: RecapOptions,
): readonly Cell[] {
  const bad = host.failed > 0 || host.unreachable;
  return [
    { text: host.host, tone: bad ? "bad" : host.changed > 0 ? "change" : "good" },
    count(host.ok, "good"),
    count(host.changed, "change"),
    count(host.unknown, "doubt"),
    count(host.skipped, "plain"),
    count(host.failed, "bad"),
    ...handled.map((field) => count(host[field], "change")),
    ...(verbose ? [count(host.roundTrips, "plain")] : []),
    { text: host.unreachable ? "unreachable" : host.failed > 0 ? whyStopped(errors.get(host.host)) : "", tone: "bad" },
  ];
}

function whyStopped(error: KbError | undefined): string {
  if (error?.code === "interrupted") return "interrupted";
  return error?.place.task === undefined ? "failed" : `failed at ${error.place.task}`;
}

function count(value: number, tone: Tone): Cell {
  return { text: String(value), tone: value === 0 ? "dim" : tone };
}

function verdict(recap: readonly HostRecap[], { mode, paint, stopped }: RecapOptions, told: boolean): string {
  const sum = (field: "changed" | "unknown" | "failed"): number => recap.reduce((all, host) => all + host[field], 0);
  const unreachable = recap.filter((host) => host.unreachable).length;
  const parts = [
    sum("changed") > 0 && paint("change", `${sum("changed")} ${mode === "check" ? "would change" : "changed"}`),
    sum("unknown") > 0 && paint("doubt", `${sum("unknown")} cannot be known yet`),
    sum("failed") > 0 && paint("bad", `${sum("failed")} failed`),
    unreachable > 0 && paint("bad", `${unreachable} unreachable`),
    stopped && paint("bad", "stopped before its end"),
  ].filter((part) => part !== false);
  if (parts.length > 0) return parts.join(", ");
  return told ? paint("good", "nothing to change") : "done";
}

/** `340 ms`, `12.3 s`, `4 min 05 s`. */
export function renderDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}
