import type { KbError, RunEvent, TaskResult } from "@keybuzz/runner";
import { changeLines, diffLines, summariseChanges } from "./change-lines.ts";
import { errorLines, indent } from "./error-lines.ts";
import { OutputLines } from "./output-lines.ts";
import { recapLines, renderDuration } from "./recap.ts";
import { safeLine, safeText } from "./safe-text.ts";
import type { Paint, Tone } from "./style.ts";
import { renderTable } from "./table.ts";

/** What of a run is shown, and how. */
export interface TextOptions {
  readonly paint: Paint;
  /** Unchanged tasks, what long actions print, round trips and stacks too. */
  readonly verbose: boolean;
  /** Each change in full, with text diffs. */
  readonly diff: boolean;
}

const COLUMN = 12;
const MARGIN = " ".repeat(COLUMN + 1);
const SLOW_MS = 1000;

/**
 * Turns the events of a run into lines for people. Every line about a host begins with the outcome and the host's name,
 * so that a log can be searched; what came from a host is indented below and cannot pass for a result.
 */
export class TextReport {
  readonly #options: TextOptions;
  readonly #output: OutputLines;
  readonly #errors = new Map<string, KbError>();
  #mode: "check" | "apply" = "apply";
  #stopped = false;

  constructor(options: TextOptions) {
    this.#options = options;
    this.#output = new OutputLines();
  }

  /** The lines that one event adds. */
  next(event: RunEvent): readonly string[] {
    const { paint, verbose } = this.#options;
    switch (event.type) {
      case "run-start":
        this.#mode = event.mode;
        return [startLine(event, paint)];
      case "phase":
        return ["", paint("strong", safeLine(event.name))];
      case "host-connected":
        return verbose ? [this.#line("connected", "dim", `${event.host}  ${renderDuration(event.ms)}`)] : [];
      case "batch":
        return [this.#line("batch", "strong", batchText(event))];
      case "task-start":
        return [];
      case "output":
        return verbose ? this.#outputLines(event.host, this.#output.add(event.host, event.text)) : [];
      case "task-end":
        return [
          ...this.#outputLines(event.result.host, this.#output.end(event.result.host)),
          ...this.#task(event.result),
        ];
      case "host-unreachable":
        return this.#error("unreachable", event.error, event.host);
      case "host-failed":
        this.#errors.set(event.host, event.error);
        return this.#error(event.error.code === "interrupted" ? "stopped" : "failed", event.error, event.host);
      case "failure-handled":
        return event.handled === "delegated"
          ? []
          : this.#error(event.handled === "ignored" ? "ignored" : "caught", event.error, event.host);
      case "run-failed":
        this.#stopped = true;
        return ["", ...this.#error("stopped", event.error)];
      case "note":
        return this.#note(event);
      case "table":
        return this.#table(event);
      case "run-end":
        return recapLines(event, { mode: this.#mode, paint, verbose, errors: this.#errors, stopped: this.#stopped });
    }
  }

  #line(word: string, tone: Tone, text: string): string {
    return `${this.#options.paint(tone, word.padEnd(COLUMN))} ${text}`;
  }

  #task(result: TaskResult): readonly string[] {
    const { paint, verbose, diff } = this.#options;
    const { outcome, changes, textDiff } = result;
    // A failed task's host leaves the run, and that event brings the whole error.
    if (outcome === "failed" || (!verbose && (outcome === "ok" || outcome === "skipped"))) return [];
    const time = result.ms >= SLOW_MS ? paint("dim", `  ${renderDuration(result.ms)}`) : "";
    const reason = result.reason === undefined ? "" : `: ${safeText(result.reason).replaceAll("\n", `\n${MARGIN}`)}`;
    const brief = diff || changes.length === 0 ? "" : paint("dim", `  (${summariseChanges(changes)})`);
    const head = `${paint("strong", safeLine(result.host))}  ${safeLine(result.task)}${reason}${brief}${time}`;
    const lines = [this.#line(this.#word(outcome), TONES[outcome], head)];
    if (diff) {
      lines.push(...changeLines(changes, paint).map((line) => `${MARGIN}${line}`));
      if (textDiff !== undefined) lines.push(...diffLines(textDiff, paint).map((line) => `${MARGIN}${line}`));
    }
    return lines.join("\n").split("\n");
  }

  #word(outcome: TaskResult["outcome"]): string {
    return outcome === "changed" && this.#mode === "check" ? "would change" : outcome;
  }

  #error(word: string, error: KbError, host?: string): readonly string[] {
    const { paint, verbose } = this.#options;
    const [first = "", ...rest] = errorLines(error, paint, { verbose });
    const named =
      host === undefined || error.place.host !== undefined ? first : `${paint("strong", safeLine(host))}: ${first}`;
    return [this.#line(word, "bad", named), ...rest.map((line) => `${MARGIN}${line}`)];
  }

  #outputLines(host: string, lines: readonly string[]): readonly string[] {
    return lines.map((line) => `${MARGIN}${this.#options.paint("dim", `${safeLine(host)} | `)}${line}`);
  }

  #note({ level, text, host }: Extract<RunEvent, { type: "note" }>): readonly string[] {
    const word = level === "warn" ? "warning" : "note";
    const [first = "", ...rest] = safeText(text).split("\n");
    const on = host === undefined ? "" : `${this.#options.paint("strong", safeLine(host))}  `;
    return [this.#line(word, level === "warn" ? "change" : "dim", `${on}${first}`), ...indent(rest.join("\n"), MARGIN)];
  }

  #table({ title, columns, rows }: Extract<RunEvent, { type: "table" }>): readonly string[] {
    const { paint } = this.#options;
    const cells = rows.map(({ cells: texts, status }) => [
      { text: status, tone: STATUS_TONES[status] },
      ...texts.map((text) => ({ text, tone: status === "ok" ? ("plain" as const) : STATUS_TONES[status] })),
    ]);
    return [
      "",
      paint("strong", safeLine(title)),
      ...renderTable(["", ...columns], cells, paint).map((line) => `  ${line}`),
    ];
  }
}

const TONES: Readonly<Record<TaskResult["outcome"], Tone>> = {
  ok: "good",
  changed: "change",
  unknown: "doubt",
  skipped: "dim",
  failed: "bad",
};

const STATUS_TONES = { ok: "good", warn: "change", failed: "bad", skipped: "dim" } as const;

function batchText({ group, number, of, hosts }: Extract<RunEvent, { type: "batch" }>): string {
  return `${number} of ${of}${group === "" ? "" : ` of ${safeLine(group)}`}: ${hosts.map(safeLine).join(", ")}`;
}

function startLine({ mode, playbook, hosts }: Extract<RunEvent, { type: "run-start" }>, paint: Paint): string {
  const count = `${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`;
  const promise = mode === "check" ? paint("dim", " (check: nothing will be changed)") : "";
  return `${paint("strong", safeLine(playbook))} on ${count}${promise}`;
}
