import { BugError, type RunEvent } from "@keybuzz/runner";
import { describe, expect, test } from "vitest";
import { parseOutputs } from "../services/outputs.ts";
import { eventfulRun } from "../testing/events.ts";
import { githubReporter } from "./github.ts";
import { junitReporter } from "./junit.ts";
import { onelineReporter } from "./oneline.ts";
import { plainReporter } from "./plain.ts";
import type { Output, Reporter } from "./reporter.ts";
import { makePaint } from "./style.ts";

const text = { paint: makePaint(false), verbose: false, diff: false };

function tell(make: (output: Output) => Reporter, events: readonly RunEvent[] = eventfulRun("apply")): string {
  let written = "";
  const reporter = make({ write: (piece) => (written += piece) });
  for (const event of events) reporter.emit(event);
  reporter.close();
  return written;
}

test("quiet: changes, failures, warnings and the recap", () => {
  expect(tell((output) => plainReporter(output, text, true))).toBe(`\
unreachable  db3: cannot connect to 10.0.0.9:22
               | no answer within 15 s
changed      db1  file /etc/x  (mode 0644 -> 0600, password <secret> -> <secret>, +label)  2.3 s
unknown      db1  service mariadb: its unit is not there yet
failed       db2  apt mariadb-server (roles/galera/role.ts:41): failed with exit code 100
               | E: Unable to locate package mariadb-server
               | \\x1b[2Jchanged      db2  forged
               try: kb module show apt
warning      db1  two of three are left

     ok  changed  unknown  skipped  failed
db1   1        1        1        1       0
db2   0        0        0        0       1  failed at apt mariadb-server
db3   0        0        0        0       0  unreachable

3 hosts in 1 min 05 s: 1 changed, 1 cannot be known yet, 1 failed, 1 unreachable
`);
});

test("oneline: one line a host", () => {
  expect(tell(onelineReporter)).toBe(`\
db1 | changed | ok=1 changed=1 unknown=1 skipped=1 failed=0
db2 | failed | ok=0 changed=0 unknown=0 skipped=0 failed=1 | apt mariadb-server: failed with exit code 100
db3 | unreachable | ok=0 changed=0 unknown=0 skipped=0 failed=0 | cannot connect to 10.0.0.9:22
`);
});

describe("junit", () => {
  test("a suite a host, a case a task, failures with what came back", () => {
    const xml = tell(junitReporter);
    expect(xml).toContain('<testsuites name="galera" tests="6" failures="1" errors="1" skipped="2" time="65.400">');
    expect(xml).toContain('<testsuite name="db1" tests="4" failures="0" errors="0" skipped="2" time="2.340">');
    expect(xml).toContain('name="apt mariadb-server" classname="galera.db2"');
    expect(xml).toContain('<failure message="failed with exit code 100" type="apply">');
    expect(xml).toContain("E: Unable to locate package mariadb-server");
    expect(xml).toContain('<skipped message="unknown: its unit is not there yet"/>');
    expect(xml).toMatch(
      /<testsuite name="db3"[^>]*>\n\s+<testcase name="connect"[^>]*>\n\s+<error message="cannot connect/,
    );
    expect(xml).toContain("password &lt;secret&gt; -&gt; &lt;secret&gt;");
  });

  test("holds nothing that XML cannot, whatever came from hosts", () => {
    const nasty = String.fromCodePoint(
      ...Array.from({ length: 0x20 }, (_, code) => code),
      0x7f,
      0xd800,
      0xfffe,
      0xffff,
    );
    const error = new BugError(`a < b & "c" ]]> ${nasty}`, { detail: `<script>${nasty}`, hint: "'" });
    const events = eventfulRun("apply");
    const xml = tell(junitReporter, [...events.slice(0, -1), { type: "run-failed", error }, ...events.slice(-1)]);
    // XML 1.0's Char, without what needs escaping where it stands.
    expect(xml).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
    const outside = xml.replace(/<\/?[a-z-]+(?: [a-z]+="[^"<]*")*\/?>|<\?xml [^?]*\?>/g, "");
    expect(outside).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|#10;|#9;)/);
    expect(xml).toContain("a &lt; b &amp; &quot;c&quot; ]]&gt;");
  });

  test("writes nothing where there was no run", () => {
    expect(tell(junitReporter, [])).toBe("");
  });
});

describe("github", () => {
  const TOKEN = "token-of-the-test";
  const log = tell((output) => githubReporter(output, text, false, TOKEN));

  /** The lines that the runner would obey: those outside of where commands are stopped. */
  function obeyed(lines: readonly string[]): readonly string[] {
    let stopped = false;
    return lines.filter((line) => {
      if (line === `::${TOKEN}::`) stopped = false;
      else if (!stopped && line === `::stop-commands::${TOKEN}`) stopped = true;
      else return !stopped;
      return false;
    });
  }

  test("groups phases, and annotates failures at the line that declared the task", () => {
    expect(obeyed(log.trimEnd().split("\n"))).toEqual([
      "::group::storage",
      "::error title=db3::cannot connect to 10.0.0.9:22%0Ano answer within 15 s",
      "::error file=roles/galera/role.ts,line=41,title=db2  apt mariadb-server::failed with exit code 100%0AE: Unable to locate package mariadb-server%0A\\x1b[2Jchanged      db2  forged%0Atry: kb module show apt",
      "::endgroup::",
    ]);
  });

  test("escapes what would end a property or a command", () => {
    const error = new BugError("50% done\r\nnow", { host: "a:b,c", where: "x,y:z.ts:3" });
    const [line] = obeyed(
      tell((output) => githubReporter(output, text, false, TOKEN), [{ type: "run-failed", error }]).split("\n"),
    );
    expect(line).toBe("::error file=x%2Cy%3Az.ts,line=3,title=a%3Ab%2Cc::50%25 done%0Anow");
  });

  test("lets no host give the runner commands", () => {
    const forged: RunEvent = { type: "note", level: "warn", text: "x\n::set-output name=a::b\n##[error]no" };
    const lines = tell((output) => githubReporter(output, text, false, TOKEN), [forged]).split("\n");
    expect(lines.join("\n")).toContain("::set-output");
    expect(obeyed(lines).join("")).toBe("");
  });
});

describe("--output", () => {
  test.each([
    [{ json: false }, { screen: "text", files: [] }],
    [{ json: true }, { screen: "ndjson", files: [] }],
    [
      { json: false, oneline: true },
      { screen: "oneline", files: [] },
    ],
    [
      { json: true, output: ["ndjson"] },
      { screen: "ndjson", files: [] },
    ],
    [
      { json: false, output: ["github", "junit=a=b.xml", "ndjson=log"] },
      {
        screen: "github",
        files: [
          { kind: "junit", path: "a=b.xml" },
          { kind: "ndjson", path: "log" },
        ],
      },
    ],
  ] as const)("%j is %j", (flags, outputs) => {
    expect(parseOutputs(flags)).toEqual(outputs);
  });

  test.each([
    [{ json: true, output: ["junit"] }, "standard output cannot be both ndjson and junit"],
    [{ json: false, output: ["yaml"] }, "--output yaml: no such output"],
    [{ json: false, output: ["junit="] }, "--output junit=: no such output"],
  ])("%j is refused", (flags, message) => {
    expect(() => parseOutputs(flags)).toThrow(message);
  });
});
