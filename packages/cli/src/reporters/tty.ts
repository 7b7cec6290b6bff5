import { LiveStatus } from "./live-status.ts";
import { makeReport } from "./quiet.ts";
import type { Output, Reporter } from "./reporter.ts";
import type { TextOptions } from "./text-report.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const REDRAW_MS = 100;
const DEFAULT_ROWS = 24;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
/** Lines that are too long are cut by the terminal itself, which alone knows how wide its characters are (DECAWM). */
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const CLEAR_BELOW = "\x1b[0J";

/** Lines as they come, and below them what each host does right now, redrawn in place. */
export function ttyReporter(output: Output, options: TextOptions, quiet = false): Reporter {
  const report = makeReport(options, quiet);
  const area = new LiveArea(output);
  const status = new LiveStatus();
  let frame = 0;
  let suspended = false;
  const draw = (above: readonly string[]): void => {
    const rows = Math.max(2, Math.floor((output.rows ?? DEFAULT_ROWS) / 2));
    const live = suspended ? [] : status.lines(FRAMES[frame % FRAMES.length] ?? "", rows, options.paint);
    area.draw(above, live);
  };
  const timer = setInterval(() => {
    frame += 1;
    if (status.active && !suspended) draw([]);
  }, REDRAW_MS);
  timer.unref();
  const showCursor = (): void => void area.end();
  process.once("exit", showCursor);
  return {
    emit(event) {
      const lines = report.next(event);
      status.next(event);
      if (lines.length > 0 || !status.active) draw(lines);
    },
    suspend() {
      suspended = true;
      draw([]);
      return () => {
        suspended = false;
      };
    },
    close() {
      clearInterval(timer);
      process.off("exit", showCursor);
      area.end();
    },
  };
}

/** The last lines of the terminal, drawn again and again. Each drawing is one write, so that nothing flickers. */
class LiveArea {
  readonly #output: Output;
  #height = 0;
  #hidden = false;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(above: readonly string[], live: readonly string[]): void {
    if (above.length === 0 && live.length === 0 && this.#height === 0) return;
    const back = this.#height === 0 ? "\r" : `\x1b[${this.#height}F`;
    const text = above.map((line) => `${line}\n`).join("");
    const area = live.length === 0 ? "" : `${NO_WRAP}${live.map((line) => `${line}\n`).join("")}${WRAP}`;
    this.#output.write(`${this.#cursor(live.length > 0)}${back}${CLEAR_BELOW}${text}${area}`);
    this.#height = live.length;
  }

  #cursor(hide: boolean): string {
    if (hide === this.#hidden) return "";
    this.#hidden = hide;
    return hide ? HIDE_CURSOR : SHOW_CURSOR;
  }

  end(): void {
    this.draw([], []);
  }
}
