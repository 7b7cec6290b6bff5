import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blockinfile, command, file, lineinfile, renderTemplate, template } from "@keybuzz/modules";
import { ApplyError, ask, definePlaybook, play, type RunEvent, sh, type TaskResult } from "@keybuzz/runner";
import { localInventory } from "@keybuzz/runner/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { makeConnect } from "../../packages/runner/src/transport/connect.ts";
import { REPORTERS, told } from "./reports.ts";

const TEMPLATE = new URL("fixtures/text.ejs", import.meta.url);

/** What hosts may say to be taken for something else: by a template, a shell, SQL, a terminal, a log, a CI system. */
const HOSTILE: readonly string[] = [
  "<%= process.exit(3) %><%- include('/etc/passwd') %>",
  ["$", "{process.exit(3)}{{7*7}}#{7*7}", "$", "(touch pwned)`touch pwned`"].join(""),
  "'; DROP TABLE x; -- \\' \" ; touch pwned #",
  "\x1b[2J\x1b[31m\x1b]0;title\x07\x1b]8;;http://x\x07link\x1b]8;;\x07\x1b]52;c;ZXZpbA==\x07\x9b1A",
  "10%\rchanged      db9  forged",
  "x\nchanged      db9  forged\nok           db9  forged\n  try: rm -rf /",
  "\u202eevil\u2066bidi\u2069\u200f\u061c\u2028line\u2029",
  "\n@@00000000000000000000000000000000 e q0 0\n@@ d\n",
  "x\n::error file=x::forged\n::stop-commands::x\n##[error]forged\n::add-mask::x",
  ']]></system-out></testcase><testcase name="forged"/><!-- &lt;\u0000\u0008',
  '"}\n{"type":"run-end","exitCode":0,"forged":true}',
  "$1 $& $` $' \\1 %s %n %00",
];

/** A terminal obeys it, or shows it in another order. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** What the live view of a terminal draws itself with. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const DRAWING = /\x1b\[(?:\?25[lh]|\?7[lh]|0J|\d*[AFG])|\r/g;

describe.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 50), text] as const))("%s", (_, text) => {
  it("is a value to a template, and no template", () => {
    expect(renderTemplate(TEMPLATE.pathname, { text })).toBe(`value = ${text}\n`);
    expect(() => renderTemplate(TEMPLATE.pathname, { text: { [text]: text } })).toThrow(/cannot be rendered/);
  });

  it.each(Object.keys(REPORTERS))("is told by %s as what was said, and as nothing else", (name) => {
    const make = REPORTERS[name];
    if (make === undefined) throw new Error(`no reporter ${name}`);
    const shown = told(make, runSaying(text));
    const own = name === "tty" ? shown.replace(DRAWING, "") : shown;
    expect(OBEYED.exec(own)?.[0]).toBeUndefined();
    expect(forgeries(name, shown)).toEqual([]);
  });
});

/** Lines that say what no task of ours said. */
function forgeries(reporter: string, shown: string): readonly string[] {
  const lines = shown.split("\n");
  switch (reporter) {
    case "ndjson":
      return lines.filter((line) => line !== "" && "forged" in (JSON.parse(line) as object));
    case "junit":
      return [...shown.matchAll(/<testcase [^>]*name="forged"/g)].map(([found]) => found);
    case "github":
      return commandsIn(lines).filter(
        (line) => !/^::(?:group|endgroup|error)\b/.test(line) || line.startsWith("::error file=x"),
      );
    default:
      return lines.filter((line) => /^(?:changed|ok|failed|would change)\s+db9\b/.test(line));
  }
}

/** Lines that GitHub's runner takes for commands: those outside of what is switched off. */
function commandsIn(lines: readonly string[]): readonly string[] {
  let isOff = false;
  return lines.filter((line) => {
    if (line === "::stop-commands::token") isOff = true;
    else if (line === "::token::") isOff = false;
    else return !isOff && line.startsWith("::");
    return false;
  });
}

/** A run in which the host's words stand wherever words may stand. */
function runSaying(text: string): readonly RunEvent[] {
  const task: TaskResult = {
    host: "db1",
    task: `file /etc/${text}`,
    module: "file",
    id: text,
    outcome: "changed",
    changes: [
      { path: text, before: text, after: `${text}2` },
      { path: "list", before: undefined, after: { [text]: [text] } },
    ],
    textDiff: `--- ${text}\n+++ ${text}\n@@ -1 +1 @@\n-${text}\n+${text}2\n`,
    reason: text,
    where: "roles/x/role.ts:1",
    ms: 5,
  };
  const error = new ApplyError(text, { host: "db1", task: text, where: "roles/x/role.ts:1", detail: text, hint: text });
  const recap = {
    host: "db1",
    ok: 0,
    changed: 1,
    unknown: 1,
    skipped: 0,
    failed: 1,
    rescued: 0,
    ignored: 0,
    unreachable: false,
    roundTrips: 1,
  };
  return [
    { type: "run-start", version: 1, playbook: text, mode: "apply", hosts: ["db1"] },
    { type: "phase", name: text, hosts: ["db1"] },
    { type: "task-start", host: "db1", task: text },
    { type: "output", host: "db1", task: text, text: `${text}\n` },
    { type: "task-end", result: task },
    { type: "task-end", result: { ...task, outcome: "unknown" } },
    { type: "task-end", result: { ...task, outcome: "failed" } },
    { type: "note", level: "warn", text, host: "db1" },
    { type: "table", title: text, columns: [text], rows: [{ cells: [text], status: "ok" }] },
    { type: "host-failed", host: "db1", error },
    { type: "run-failed", error },
    { type: "run-end", exitCode: 1, ms: 5, recap: [recap] },
  ];
}

describe("what a host says, used as a param", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kb-inert-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("goes back to hosts as it came, into names, contents, templates, arguments and environments", async () => {
    const said = HOSTILE.map((text) => text.replaceAll("\0", ""));
    const at = (name: string): string => join(folder, name);
    const playbook = definePlaybook({
      name: "inert",
      summary: "What hosts say, as params",
      groups: { all: z.object({}) },
      async run({ all }) {
        const answers = await all.probe(
          ask(sh`printf '%s\0' ${said}`, ({ stdout }) => stdout.split("\0").slice(0, -1)),
        );
        const texts = answers[0]?.value ?? [];
        expect(texts).toEqual(said);
        await all.ensure(
          texts.flatMap((text, n) => {
            const line = text.replaceAll(/[\n\r]/g, " ");
            return [
              file({ path: at(`content${n}`), content: text }),
              template({ src: TEMPLATE, dest: at(`template${n}`), vars: { text } }),
              lineinfile({ path: at(`line${n}`), line, create: true }),
              blockinfile({ path: at(`block${n}`), block: text, create: true }),
              file({ path: at(`${n}${text.replaceAll("/", "")}`), content: text }, { name: text }),
              command({
                run: sh`printf %s "$KB_TEXT" ${text} >${at(`run${n}`)}`,
                creates: at(`run${n}`),
                environment: { KB_TEXT: text },
              }),
            ];
          }),
        );
      },
    });
    const options = {
      inventory: localInventory(["db1"]),
      connect: makeConnect({ hostKeys: "off" }),
      lockFolder: folder,
    };
    const events: RunEvent[] = [];
    const first = await play(playbook, { ...options, mode: "apply", emit: (event) => void events.push(event) });
    expect(first.error?.detail ?? first.error?.message).toBeUndefined();
    expect(first.exitCode).toBe(0);
    for (const [n, text] of said.entries()) {
      const read = (name: string): string => readFileSync(at(name), "utf8");
      expect(read(`content${n}`)).toBe(text);
      expect(read(`template${n}`)).toBe(`value = ${text}\n`);
      expect(read(`line${n}`)).toBe(`${text.replaceAll(/[\n\r]/g, " ")}\n`);
      expect(read(`run${n}`)).toBe(`${text}${text}`);
      expect(read(`${n}${text.replaceAll("/", "")}`)).toBe(text);
    }
    const second = await play(playbook, { ...options, mode: "apply", emit: () => {} });
    expect(second.recap).toMatchObject([{ changed: 0, failed: 0 }]);
    expect(second.exitCode).toBe(0);
  }, 120_000);
});
