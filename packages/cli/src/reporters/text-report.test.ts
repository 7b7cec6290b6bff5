import { ApplyError, BugError, InterruptedError } from "@keybuzz/runner";
import { describe, expect, test } from "vitest";
import { eventfulRun } from "../testing/events.ts";
import { plainReporter } from "./plain.ts";
import { makePaint } from "./style.ts";
import { type TextOptions, TextReport } from "./text-report.ts";

function render(mode: "check" | "apply", options: Partial<TextOptions> = {}): string {
  let written = "";
  const output = { write: (text: string) => (written += text) };
  const reporter = plainReporter(output, { paint: makePaint(false), verbose: false, diff: false, ...options });
  for (const event of eventfulRun(mode)) reporter.emit(event);
  return written;
}

test("a run in plain lines: what changed, what is unknown, what failed and why; what is as wanted is counted only", () => {
  expect(render("apply")).toBe(`\
galera on 3 hosts

storage
unreachable  db3: cannot connect to 10.0.0.9:22
               | no answer within 15 s
changed      db1  file /etc/x  (mode 0644 -> 0600, password <secret> -> <secret>, +label)  2.3 s
unknown      db1  service mariadb: its unit is not there yet
failed       db2  apt mariadb-server (roles/galera/role.ts:41): failed with exit code 100
               | E: Unable to locate package mariadb-server
               | \\x1b[2Jchanged      db2  forged
               try: kb module show apt
warning      db1  two of three are left

members
          host  state
  ok      db1   Synced
  failed  db2   \\x1b[2J

     ok  changed  unknown  skipped  failed
db1   1        1        1        1       0
db2   0        0        0        0       1  failed at apt mariadb-server
db3   0        0        0        0       0  unreachable

3 hosts in 1 min 05 s: 1 changed, 1 cannot be known yet, 1 failed, 1 unreachable
`);
});

test("batches, and failures that did not take their host out of the run", () => {
  const report = new TextReport({ paint: makePaint(false), verbose: false, diff: false });
  const error = new ApplyError("failed with exit code 1", { host: "db1", task: "apt mariadb-server" });
  const counts = { ok: 1, changed: 0, unknown: 0, skipped: 0, failed: 0, unreachable: false, roundTrips: 3 };
  const lines = [
    ...report.next({ type: "batch", group: "blue", number: 2, of: 3, hosts: ["db1", "db2"] }),
    ...report.next({ type: "failure-handled", host: "db1", handled: "rescued", error }),
    ...report.next({ type: "failure-handled", host: "db1", handled: "ignored", error }),
    ...report.next({ type: "failure-handled", host: "db1", handled: "delegated", error }),
    ...report.next({
      type: "run-end",
      exitCode: 0,
      ms: 1000,
      recap: [{ host: "db1", ...counts, rescued: 1, ignored: 1 }],
    }),
  ];
  expect(lines.join("\n")).toBe(`\
batch        2 of 3 of blue: db1, db2
caught       db1  apt mariadb-server: failed with exit code 1
ignored      db1  apt mariadb-server: failed with exit code 1

     ok  changed  unknown  skipped  failed  rescued  ignored
db1   1        0        0        0       0        1        1

1 host in 1.0 s: nothing to change`);
});

test("in check mode the same would be changed", () => {
  expect(render("check")).toMatch(/^would change db1 {2}file/m);
  expect(render("check")).toContain("     ok  would change  unknown  skipped  failed\n");
  expect(render("check")).toContain("1 would change,");
});

test("--diff shows fields and text in full", () => {
  expect(render("apply", { diff: true })).toContain(`\
changed      db1  file /etc/x  2.3 s
             ~ mode: 0644 -> 0600
             ~ password: <secret> -> <secret>
             + label: data
             --- /etc/x
             +++ /etc/x
             @@ -1,1 +1,1 @@
             -old
             +new
unknown`);
});

test("-v also shows unchanged and skipped tasks, connections, output and round trips", () => {
  const text = render("apply", { verbose: true });
  expect(text).toContain("connected    db1  63 ms\n");
  expect(text).toContain("ok           db1  file /etc/a\n");
  expect(text).toContain("             db1 | half a line\n             db1 | and a rest\nchanged");
  expect(text).toContain("skipped      db1  wait_for 3306: later\n");
  expect(text).toContain("     ok  changed  unknown  skipped  failed  round trips\ndb1   1        1");
});

test("colours change nothing but the look", () => {
  const coloured = render("apply", { paint: makePaint(true), diff: true });
  expect(coloured).toContain("\x1b[33mchanged     \x1b[39m \x1b[1mdb1\x1b[22m  file /etc/x");
  expect(coloured).toContain("\x1b[31m-old\x1b[39m\n");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken away
  expect(coloured.replaceAll(/\x1b\[\d+m/g, "")).toBe(render("apply", { diff: true }));
});

describe("errors", () => {
  const report = () => new TextReport({ paint: makePaint(false), verbose: false, diff: false });

  test("a defect brings the place in the code, and only that", () => {
    const lines = report().next({
      type: "run-failed",
      error: new BugError("an ensure was not awaited", { hint: "await it" }),
    });
    expect(lines.slice(0, 3)).toEqual(["", "stopped      an ensure was not awaited", "               try: await it"]);
    expect(lines[3]).toMatch(/^ {15}\| at .*text-report\.test\.ts:\d+/);
    expect(lines.join("\n")).not.toContain("node:");
  });

  test("an interrupted host did not fail", () => {
    const error = new InterruptedError("stopped before this task, as asked", { host: "db1", task: "apt curl" });
    expect(report().next({ type: "host-failed", host: "db1", error })).toEqual([
      "stopped      db1  apt curl: stopped before this task, as asked",
    ]);
  });
});
