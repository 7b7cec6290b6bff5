import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventfulRun } from "../testing/events.ts";
import { LiveStatus } from "./live-status.ts";
import { plainReporter } from "./plain.ts";
import { makePaint } from "./style.ts";
import { ttyReporter } from "./tty.ts";

/** What a terminal shows in the end, of as much of its language as is used: lines, cursor up, clear below, modes. */
class Screen {
  readonly isTTY = true;
  readonly rows = 24;
  readonly modes = new Map<string, boolean>();
  #lines: string[] = [""];
  #row = 0;

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's language is made of them
    for (const token of text.match(/\x1b\[\??\d+[A-Za-z]|[\n\r]|[^\x1b\n\r]+/g) ?? []) this.#obey(token);
  }

  #obey(token: string): void {
    const [, question, count, letter] = /^.\[(\??)(\d+)([A-Za-z])$/.exec(token) ?? [];
    if (token === "\n") {
      this.#row += 1;
      this.#lines[this.#row] ??= "";
    } else if (question === "?") this.modes.set(count ?? "", letter === "h");
    else if (letter === "F") this.#row -= Number(count);
    else if (letter === "J") this.#lines = [...this.#lines.slice(0, this.#row), ""];
    else if (token !== "\r") this.#lines[this.#row] += token;
  }

  get text(): string {
    return this.#lines.join("\n");
  }
}

const options = { paint: makePaint(false), verbose: false, diff: false };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("in the end the screen shows what a log would, the cursor is back and lines wrap again", () => {
  const screen = new Screen();
  const live = ttyReporter(screen, options);
  let log = "";
  const plain = plainReporter({ write: (text) => (log += text) }, options);
  for (const event of eventfulRun("apply")) {
    live.emit(event);
    plain.emit(event);
    vi.advanceTimersByTime(250);
  }
  live.close();
  expect(screen.text).toBe(log);
  expect([screen.modes.get("25"), screen.modes.get("7")]).toEqual([true, true]);
});

test("while it goes on, the last lines say who works on what, and what it says", () => {
  const screen = new Screen();
  const live = ttyReporter(screen, options);
  const events = eventfulRun("apply");
  for (const event of events.slice(0, events.findIndex(({ type }) => type === "output") + 2)) live.emit(event);
  vi.advanceTimersByTime(2100);
  expect(screen.text.split("\n").slice(-3)).toEqual([
    expect.stringMatching(/^. db1 {2}file \/etc\/x {2}2 s {2}and a rest$/),
    expect.stringMatching(/^. 2 s {2}storage {2}1 at work, 1 ok$/),
    "",
  ]);
  live.close();
  expect(screen.modes.get("25")).toBe(true);
});

test("it leaves the terminal alone while somebody is asked something", () => {
  const screen = new Screen();
  const live = ttyReporter(screen, options);
  for (const event of eventfulRun("apply").slice(0, 2)) live.emit(event);
  const resume = live.suspend();
  const before = screen.text;
  vi.advanceTimersByTime(1000);
  expect(screen.text).toBe(before);
  expect(before.endsWith("storage\n")).toBe(true);
  resume();
  vi.advanceTimersByTime(100);
  expect(screen.text).toMatch(/storage\n. 1 s {2}storage {2}3 to connect\n$/);
  live.close();
});

test("many hosts at work do not fill the terminal", () => {
  const status = new LiveStatus(() => 0);
  const hosts = Array.from({ length: 50 }, (_, index) => `host-${index}`);
  status.next({ type: "run-start", version: 1, playbook: "p", mode: "apply", hosts });
  for (const host of hosts) {
    status.next({ type: "host-connected", host, ms: 1 });
    status.next({ type: "task-start", host, task: "apt curl" });
  }
  expect(status.lines("*", 6, makePaint(false))).toEqual([
    ...["host-0", "host-1", "host-2", "host-3"].map((host) => `* ${host}  apt curl  0 s`),
    "  and 46 more",
    "* 0 s  50 at work",
  ]);
});
