import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { bindGroups } from "../bind.ts";
import { definePlaybook } from "../playbook.ts";
import { InventoryBuilder } from "./builder.ts";
import type { Inventory } from "./inventory.ts";
import { addModule } from "./module.ts";
import { readInventory } from "./read.ts";
import { addScript } from "./script.ts";
import { targetOf } from "./target.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-sources-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o644): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

/** The inventory in the last of these files. */
async function read(files: Readonly<Record<string, string>>): Promise<Inventory> {
  let last = "";
  for (const [name, text] of Object.entries(files)) last = write(name, text);
  return readInventory(last);
}

/** What an error says, with the folder left out. */
async function told(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) return String(error);
  const { message, hint } = error as Error & { readonly hint?: string };
  return `${message}${hint === undefined ? "" : ` | ${hint}`}`.replaceAll(/[^\s:"]*kb-sources-[^/]+\//g, "");
}

describe("what is malformed is told with file, line, column, and the nearest name", () => {
  it.each([
    ["h.yml", "all:\n  hosts:\n    a: 1\n", "h.yml:3:8: vars are a map"],
    ["h.yml", "all:\n  chidlren:\n", 'h.yml:2:3: group all has no key "chidlren" | did you mean children?'],
    ["h.yml", "- a\n", "h.yml:1:1: an inventory is a map of groups"],
    ["h.yml", "\n", "h.yml:1:1: the inventory is empty"],
    ["h.yml", "all:\n\thosts:\n", /^h\.yml:2:1: .*tab/i],
    [
      "h.yml",
      "plugin: aws_ec2\n",
      /^h\.yml:1:1: this configures an inventory plugin of Ansible.*\| write what it finds/,
    ],
    ["h.yml", "all:\n  vars:\n    a: !vualt x\n", "h.yml:3:15: the tag !vualt is not known | did you mean !vault?"],
    ["h.yml", "all:\n  vars: { a: *none }\n", /^h\.yml:2:14: .*none/],
    ["h.yml", "all:\n  vars: { a: &a [*a] }\n", "h.yml:2:18: &a contains itself"],
    [
      "h.yml",
      "all:\n  vars:\n    x: !secret agee:y\n",
      /^h\.yml:3:16: !secret agee:y: .*"agee" \| did you mean age\?$/,
    ],
    ["h.yml", "all:\n  hosts:\n    web[3:1]:\n", "h.yml:3:5: [3:1] is no range | the first is after the last"],
    [
      "h.yml",
      "all:\n  hosts:\n    web[08:10:0]:\n",
      "h.yml:3:5: [08:10:0] is no range | a step is a whole number from 1",
    ],
    ["h.yml", "all:\n  hosts:\n    web[1:999999999]:\n", /h\.yml:3:5: .*more than 100000 hosts/],
    ["h.yml", "all:\n  hosts:\n    ? a b\n    :\n", /^h\.yml:3:7: "a b" is no host name/],
    ["h.yml", "all:\n  hosts:\n    web:99999:\n", /^h\.yml:3:5: web:99999: 99999 is no port/],
    ["h.ini", "[web\nx\n", /^h\.ini:1:1: "\[web" is no host name/],
    ["h.ini", "[web :vars]\n", /^h\.ini:1:1: \[web :vars\] is no section \| write \[group\]/],
    ["h.ini", "[web:varz]\n", "h.ini:1:1: [web:varz] is no kind of section | did you mean vars?"],
    [
      "h.ini",
      "[web]\na\n[wbe:vars]\nx=1\n",
      /^h\.ini:3:1: \[wbe:vars\] sets vars, and no section declares the group wbe \| did you mean web\?/,
    ],
    ["h.ini", "[fleet:children]\n  wbe\n[web]\n", /^h\.ini:2:3: \[fleet:children\] has wbe, .* \| did you mean web\?/],
    ["h.ini", "[web]\na  x=1 yes\n", 'h.ini:2:8: "yes" sets no var | write NAME=VALUE, with quotes around spaces'],
    ["h.ini", "[web]\na x='1\n", "h.ini:2:1: a quotation has no end here | close it, or escape it by \\"],
    ["h.ini", "[web:vars]\nx\n[web]\n", 'h.ini:2:1: "x" sets no var | write NAME=VALUE'],
    ["h.ini", "[a:children]\nb\n[b:children]\na\n", /is its own descendant/],
    [
      "h.ini",
      "[a]\nb\n[a:vars]\nansible_group_priority=high\n",
      "h.ini:4:24: ansible_group_priority is a whole number",
    ],
    ["h.toml", "[a]\n", /inventories in TOML cannot be read/],
    ["h.json", '{"all": {"hosts": {"a": {"x": 1}', /^h\.json:1:\d+: /],
  ])("%s %j", async (name, text, expected) => {
    const said = await told(read({ [name]: text }));
    if (typeof expected === "string") expect(said).toBe(expected);
    else expect(said).toMatch(expected);
  });

  it("in vars files too", async () => {
    const error = told(read({ "group_vars/web.yml": "a: 1\nb: [\n", "h.ini": "[web]\nx\n" }));
    expect(await error).toMatch(/^group_vars\/web\.yml:\d:\d: /);
  });

  it("and a folder without an inventory", async () => {
    write("inv/group_vars/all.yml", "a: 1\n");
    expect(await told(readInventory(join(folder, "inv")))).toMatch(/^there is no inventory in the folder inv/);
  });
});

describe("what may not be meant is warned of", () => {
  it.each([
    [
      "all:\n  vars:\n    a: 1\n    a: 2\n",
      "h.yml:4:5: a is here a second time, and counts in place of the one in line 3",
    ],
    ["all:\n  vars: { port: 22:22 }\n", "h.yml:2:17: 22:22 is a number in sixties to YAML 1.1; a text needs quotes"],
    [
      "all:\n  hosts: { a: { ansible_hots: x } }\n",
      "h.yml:2:31: ansible_hots is Ansible's, and has no effect here; did you mean ansible_host?",
    ],
    [
      "all:\n  vars: { ansible_winrm_scheme: x }\n  hosts: { a: , b: }\n",
      "h.yml:2:33: ansible_winrm_scheme is Ansible's, and has no effect here",
    ],
    ["web:\n  hosts: { web: }\n", "web is the name of a host and of a group"],
  ])("%j", async (text, warning) => {
    const { warnings } = await read({ "h.yml": text });
    expect(warnings.map((line) => line.replace(/^.*kb-sources-[^/]+\//, ""))).toEqual([warning]);
  });

  it("but not what has nothing to act on here, nor what is known", async () => {
    const vars =
      "{ ansible_python_interpreter: /x, ansible_ssh_pipelining: yes, ansible_host: x, ansible_become_method: sudo }";
    expect((await read({ "h.yml": `all:\n  hosts: { a: ${vars} }\n` })).warnings).toEqual([]);
  });
});

describe("values", () => {
  const HOSTILE = [
    "<%= process.exit() %>",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what stays inert is the point
    "${x}",
    "{{ x }}",
    "{% x %}",
    "$(id)",
    "`id`",
    "\u001b[31mred",
    "a\nb",
    "!!js/function x",
  ];

  it("stay the text that they are, whatever a template engine or a shell would make of them", async () => {
    const yaml = HOSTILE.map((value, index) => `    v${index}: ${JSON.stringify(value)}`).join("\n");
    const json = JSON.stringify({ web: { hosts: ["s"], vars: Object.fromEntries(HOSTILE.entries()) } });
    write("01.yml", `all:\n  hosts: { y: }\n  vars:\n${yaml}\n`);
    write("02-script", `#!/bin/sh\ncat <<'J'\n${json}\nJ\n`, 0o755);
    const inventory = await readInventory(folder);
    const vars = inventory.hosts.get("s")?.vars;
    expect(HOSTILE.map((_, index) => vars?.get(`v${index}`)?.value)).toEqual(HOSTILE);
    expect(HOSTILE.map((_, index) => vars?.get(String(index))?.value)).toEqual(HOSTILE);
  });

  it("that Ansible would evaluate are refused where they are used, and only there", async () => {
    const text = "web:\n  vars: { used: 'x {{ y }}', other: '{{ z }}', literal: !unsafe '{{ w }}' }\n  hosts: { a: }\n";
    const inventory = await read({ "h.yml": text });
    const schema = (shape: z.ZodRawShape) =>
      definePlaybook({ name: "p", summary: "p", groups: { web: z.object(shape) }, async run() {} });
    const bound = bindGroups(schema({ literal: z.string() }), inventory);
    expect(bound.get("web")?.get("a")).toEqual({ literal: "{{ w }}" });
    expect(() => bindGroups(schema({ used: z.string() }), inventory)).toThrow(
      /h\.yml:2:17: a \(group web\): used is a Jinja template, which is not evaluated here/,
    );
    const target = await read({ "t.yml": "all:\n  hosts:\n    a: { ansible_host: \"{{ ip }}\", note: '{{ x }}' }\n" });
    const host = target.hosts.get("a");
    expect(() => host && targetOf(host, {})).toThrow(/t\.yml:3:24: a: ansible_host is a Jinja template/);
  });

  it("of a merged key named __proto__ are keys like any other", async () => {
    const inventory = await read({ "h.yml": "all:\n  vars: { a: { __proto__: { polluted: 1 } } }\n  hosts: { x: }\n" });
    expect(JSON.stringify(inventory.hosts.get("x")?.vars.get("a")?.value)).toBe('{"__proto__":{"polluted":1}}');
    expect({}).not.toHaveProperty("polluted");
  });

  it("do not grow without end by aliases", async () => {
    const laughs = Array.from(
      { length: 9 },
      (_, n) => `    l${n + 1}: &l${n + 1} [${Array(10).fill(`*l${n}`).join(", ")}]`,
    );
    const text = `all:\n  vars:\n    l0: &l0 lol\n${laughs.join("\n")}\n`;
    await expect(read({ "h.yml": text })).rejects.toThrow(/aliases make this value too large|[Aa]lias/);
  });
});

describe("who has which value, and why", () => {
  it("is kept for all six levels, the one that counts last", async () => {
    const inventory = await read({
      "group_vars/all.yml": "v: 3\n",
      "group_vars/web.yml": "v: 4\n",
      "host_vars/a.yml": "v: 6\n",
      "h.yml": "all:\n  vars: { v: 1 }\n  children:\n    web:\n      vars: { v: 2 }\n      hosts: { a: { v: 5 } }\n",
    });
    const definitions = inventory.hosts.get("a")?.definitions.get("v") ?? [];
    expect(definitions.map(({ value, level, owner }) => `${value} ${level} (${owner})`)).toEqual([
      "1 all, in the inventory (all)",
      "2 group, in the inventory (web)",
      "3 group_vars/all (all)",
      "4 group_vars (web)",
      "5 host, in the inventory (a)",
      "6 host_vars (a)",
    ]);
    expect(inventory.hosts.get("a")?.vars.get("v")).toMatchObject({ value: 6, source: { line: 1, column: 4 } });
  });
});

describe("scripts", () => {
  const script = (text: string): string => write("inv.sh", `#!/bin/sh\n${text}\n`, 0o755);

  it.each([
    ["echo '{'", /printed is no JSON: .*inv\.sh --list/, /JSON/],
    ["echo oops >&2; exit 4", /the inventory script failed: .*inv\.sh --list/, /^exit 4\noops$/],
    ["kill -9 $$", /the inventory script failed/, /SIGKILL/],
    ["echo '[1]'", /an inventory is an object of groups/, undefined],
    [`echo '{"web": {"hosts": "a"}}'`, /the hosts of group web are a list of names/, undefined],
    [`echo '{"web": {"vars": []}}'`, /the vars of group web are an object/, undefined],
    [`echo '{"web": ["a\\u001b"]}'`, /the hosts of group web are a list of names/, undefined],
    [`[ "$1" = --list ] && echo '{"web": ["a"]}' || exit 9`, /failed: .*inv\.sh --host a/, /exit 9/],
  ])("%j that go wrong are told with what they said", async (text, message, detail) => {
    const error: unknown = await readInventory(script(text)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    if (detail !== undefined) expect(error).toMatchObject({ detail: expect.stringMatching(detail) });
  });

  it("that do not end are stopped", async () => {
    const work = addScript(script("exec sleep 60"), new InventoryBuilder("x"), 300);
    await expect(work).rejects.toMatchObject({ detail: "no end within 0.3 s" });
  });

  it("get names of hosts as arguments, never as words of a shell", async () => {
    const name = "a; touch $(id) `id` > x";
    const inventory = await readInventory(
      script(`case $1 in --list) echo '{"web": ["${name}"]}' ;; *) printf '{"got": "%s"}' "$2" ;; esac`),
    );
    expect(inventory.hosts.get(name)?.vars.get("got")?.value).toBe(name);
  });
});

describe("modules", () => {
  it("give groups, vars and references to secrets", async () => {
    const runner = join(import.meta.dirname, "../index.ts");
    const inventory = await readInventory(
      write(
        "fleet.ts",
        `import { defineInventory, secretRef } from ${JSON.stringify(runner)};
export default defineInventory(async () => ({
  web: { hosts: { "web[1:2]": { ansible_host: "10.0.0.1", password: secretRef("env:X") } }, vars: { a: 1 } },
  fleet: { children: ["web"], hosts: ["extra:2222"] },
}));
`,
      ),
    );
    expect(inventory.groups.get("fleet")?.hosts).toEqual(["extra", "web1", "web2"]);
    expect(inventory.hosts.get("extra")?.vars.get("ansible_port")?.value).toBe(2222);
    expect(String(inventory.hosts.get("web2")?.vars.get("password")?.value)).toBe("<secret>");
  });

  it.each([
    ["export const x = 1;", "m.ts exports no inventory"],
    ["export default () => { throw new TypeError('no cloud'); };", "cannot read the inventory m.ts"],
    ["export default () => [];", "m.ts: an inventory is an object of groups"],
    ["export default () => ({ web: { host: [] } });", 'm.ts: group web: there is no key "host" | did you mean hosts?'],
    [
      "export default () => ({ web: { hosts: { a: 1 } } });",
      "m.ts: group web: hosts are names, or names with their vars",
    ],
  ])("%s is refused", async (text, expected) => {
    expect(await told(readInventory(write("m.ts", text)))).toContain(expected);
  });

  it("that give nothing in time are told", async () => {
    const file = write("slow.ts", "export default () => new Promise(() => {});");
    expect(await told(addModule(file, new InventoryBuilder("x"), 50))).toBe("slow.ts gave no inventory within 0.05 s");
  });
});

it("a list of names is an inventory", async () => {
  const inventory = await readInventory("web[1:2],db:2222,");
  expect([...inventory.hosts.keys()]).toEqual(["web1", "web2", "db"]);
  expect(inventory.hosts.get("db")?.vars.get("ansible_port")?.value).toBe(2222);
});

it("connection variables in the words of INI are understood", async () => {
  const inventory = await read({
    "h.ini": "a ansible_become=yes ansible_port=2222\nb ansible_become=no\nc ansible_become=maybe\n",
  });
  const [a, b, c] = ["a", "b", "c"].map((name) => inventory.hosts.get(name));
  expect(a && targetOf(a, {})).toMatchObject({ become: true, port: 2222 });
  expect(b && targetOf(b, {})).toMatchObject({ become: false });
  expect(() => c && targetOf(c, {})).toThrow(/h\.ini:3:18: c: ansible_become: /);
});
