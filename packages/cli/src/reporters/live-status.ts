import type { RunEvent } from "@keybuzz/runner";
import { OutputLines } from "./output-lines.ts";
import { renderDuration } from "./recap.ts";
import { safeLine } from "./safe-text.ts";
import type { Paint } from "./style.ts";
import { width } from "./table.ts";

interface Running {
  readonly task: string;
  readonly since: number;
  said: string;
}

/** What is going on right now, made from the events of a run: who works on what since when. */
export class LiveStatus {
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Running>();
  readonly #counts = { ok: 0, changed: 0, unknown: 0, skipped: 0, failed: 0 };
  readonly #output = new OutputLines();
  readonly #now: () => number;
  #started: number | undefined;
  #phase = "";

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether a run is under way. */
  get active(): boolean {
    return this.#started !== undefined;
  }

  next(event: RunEvent): void {
    switch (event.type) {
      case "run-start":
        this.#started = this.#now();
        for (const host of event.hosts) this.#waiting.add(host);
        break;
      case "phase":
        this.#phase = event.name;
        break;
      case "host-connected":
        this.#waiting.delete(event.host);
        break;
      case "task-start":
        this.#running.set(event.host, { task: event.task, since: this.#now(), said: "" });
        break;
      case "output":
        this.#hear(event.host, event.text);
        break;
      case "task-end":
        if (event.result.handled === undefined) this.#counts[event.result.outcome] += 1;
        this.#leave(event.result.host);
        break;
      case "host-failed":
      case "host-unreachable":
        this.#waiting.delete(event.host);
        this.#leave(event.host);
        break;
      case "run-end":
        this.#started = undefined;
        break;
      case "failure-handled":
        this.#leave(event.host);
        break;
      case "batch":
      case "run-failed":
      case "note":
      case "table":
        break;
    }
  }

  #hear(host: string, text: string): void {
    const running = this.#running.get(host);
    if (running === undefined) return;
    const said = [...this.#output.add(host, text), this.#output.current(host)].filter((line) => line.trim() !== "");
    running.said = said.at(-1) ?? running.said;
  }

  #leave(host: string): void {
    this.#running.delete(host);
    this.#output.end(host);
  }

  /** One line a working host and one for the whole, `rows` at most. Lines may be longer than the terminal is wide. */
  lines(frame: string, rows: number, paint: Paint): string[] {
    if (this.#started === undefined) return [];
    const running = [...this.#running];
    const room = Math.max(0, rows - 1);
    const shown = running.length > room ? running.slice(0, Math.max(0, room - 1)) : running;
    const nameWidth = Math.max(0, ...shown.map(([host]) => width(host)));
    const lines = shown.map(([host, { task, since, said }]) => {
      const name = safeLine(host).padEnd(nameWidth);
      const time = paint("dim", renderSeconds(this.#now() - since));
      return `${paint("place", frame)} ${paint("strong", name)}  ${safeLine(task)}  ${time}  ${paint("dim", said)}`.trimEnd();
    });
    if (shown.length < running.length && room > 0)
      lines.push(paint("dim", `  and ${running.length - shown.length} more`));
    return [...lines, `${paint("place", frame)} ${this.#summary(this.#now() - this.#started)}`];
  }

  #summary(ms: number): string {
    const { ok, changed, unknown, failed } = this.#counts;
    const parts = [
      [this.#running.size, "at work"],
      [this.#waiting.size, "to connect"],
      [ok, "ok"],
      [changed, "changed"],
      [unknown, "unknown"],
      [failed, "failed"],
    ] as const;
    const told = parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]));
    return [renderSeconds(ms), safeLine(this.#phase), told.join(", ")].filter((part) => part !== "").join("  ");
  }
}

/** Whole seconds: a figure that changes ten times a second cannot be read. */
function renderSeconds(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : renderDuration(ms);
}
