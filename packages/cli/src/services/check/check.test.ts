import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkLines } from "../../reporters/check-lines.ts";
import { makePaint } from "../../reporters/style.ts";
import { type CheckReport, check } from "./check.ts";
import { parseDiagnostics } from "./compiler.ts";

// Compilers on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });

const ROOT = resolve(import.meta.dirname, "../../../../..");

const FILES: Readonly<Record<string, string>> = {
  "package.json": '{ "type": "module" }',
  "tsconfig.json": JSON.stringify({ extends: join(ROOT, "tsconfig.base.json") }),
  "inventories/web.yml": `all:
  vars: { ansible_connection: local }
  children:
    web:
      hosts:
        web-01: { port: 80 }
        web-02: { port: 81 }
`,
  "inventories/bad.yml": `all:
  children:
    web:
      hosts:
        web-01: { port: eighty }
        web-02: { prot: 81 }
`,
  "templates/site.conf.ejs": "listen <%= port %>\nname <%= nmae %>\n",
  "playbooks/faulty.ts": `import { directory, file, template } from "@keybuzz/modules";
import { ask, definePlaybook, sh } from "@keybuzz/runner";
import * as z from "zod";

export default definePlaybook({
  name: "faulty",
  summary: "Has one of each",
  groups: { web: z.object({ port: z.number() }) },
  async run({ web }) {
    await web.ensure([directory({ path: "/srv/site", mode: "0755" })]);
    await web.ensure((host) => [file({ path: host.vars.port === 81 ? "relative" : "/srv/x", content: "x" })]);
    await web.ensure(() => [
      template({ src: new URL("../templates/site.conf.ejs", import.meta.url), dest: "/srv/c", vars: { port: 1 } }),
    ]);
    const wrong: string = web.live.length;
    await web.probe(ask(sh\`touch /tmp/kb-check-asked\`, () => wrong));
    await web.ensure([directory({ path: "/srv/never", mode: "0755" })]);
  },
});
`,
  "playbooks/broken.ts": "export default ;\n",
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-check-"));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function checked(playbook: string, options: { readonly inventory?: string; readonly types?: boolean } = {}) {
  const { inventory = "inventories/web.yml", types = false } = options;
  return check({ playbook, inventory, types, limit: undefined, params: [], directory: folder });
}

function shown(report: CheckReport): string {
  return checkLines({ ...report, ms: 400 }, makePaint(false), { verbose: false })
    .join("\n")
    .replaceAll(folder, "FOLDER");
}

describe("check", () => {
  it("finds wrong types, params and templates, with place and hosts, and asks nobody", async () => {
    expect(shown(await checked("faulty", { types: true }))).toBe(`\
playbooks/faulty.ts against inventories/web.yml (nothing is connected to)
error        playbooks/faulty.ts:15:11  Type 'number' is not assignable to type 'string'. TS2322
error        playbooks/faulty.ts:11:33  web-02: bad params for file params
               | path: must be an absolute path
               try: kb module show file
error        playbooks/faulty.ts:13:7  web-01, web-02: template FOLDER/templates/site.conf.ejs cannot be rendered: nmae is not defined params
               | FOLDER/templates/site.conf.ejs:2
               |     1| listen <%= port %>
               |  >> 2| name <%= nmae %>
               |     3|
               try: its vars are port
not checked  playbooks/faulty.ts:16:15  the rest of the playbook: it asks hosts, and goes on from what they answer

checked types, 2 hosts, 3 tasks (0 templates) in 400 ms: 3 errors; 1 place left to a run with --check`);
  });

  it("says where vars of the inventory are wrong, all at once", async () => {
    const { faults } = await checked("faulty", { inventory: "inventories/bad.yml" });
    expect(faults.map(({ code, place, message }) => [code, place, message])).toEqual([
      ["inventory", "inventories/bad.yml:5:25", expect.stringMatching(/^web-01 \(group web\): port: /)],
      ["inventory", "inventories/bad.yml:6:9", "web-02 (group web): the var port is missing"],
    ]);
  });

  it("tells of a file that does not load, beside what the compiler says of it", async () => {
    const { faults } = await checked("broken", { types: true });
    expect(faults.map(({ code }) => code)).toEqual(["TS1109", "playbook"]);
  });

  it("says that types were not checked where they were not", async () => {
    const report = await checked("faulty");
    expect(report.types).toBe("skipped");
    expect(shown(report)).toMatch(/^checked 2 hosts, .*; types not checked$/m);
  });

  it("does not pass where there is no compiler", async () => {
    rmSync(join(folder, "node_modules"));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(ROOT, "node_modules/@keybuzz"), join(folder, "node_modules/@keybuzz"));
    symlinkSync(join(ROOT, "node_modules/zod"), join(folder, "node_modules/zod"));
    const { faults } = await checked("faulty", { types: true });
    expect(faults[0]).toMatchObject({
      code: "usage",
      message: "types cannot be checked: the project has no TypeScript compiler",
      hint: expect.stringContaining("npm install --save-dev typescript"),
    });
  });
});

describe("parseDiagnostics", () => {
  it("reads places, codes and the lines that belong to them", () => {
    const output = `a/b.ts(3,14): error TS2322: Type 'A' is not assignable to type 'B'.
  Types of property 'x' are incompatible.
error TS18003: No inputs were found.
`;
    expect(parseDiagnostics(output, "/p")).toEqual([
      {
        file: "/p/a/b.ts",
        line: 3,
        column: 14,
        code: "TS2322",
        message: "Type 'A' is not assignable to type 'B'.\n  Types of property 'x' are incompatible.",
      },
      { file: undefined, line: 0, column: 0, code: "TS18003", message: "No inputs were found." },
    ]);
  });
});
