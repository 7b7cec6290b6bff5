import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import type { RunEvent } from "../events.ts";
import type { Inventory } from "../inventory/inventory.ts";
import { readInventory } from "../inventory/read.ts";
import { secretParam } from "../module.ts";
import { definePlaybook } from "../playbook.ts";
import { play } from "../run.ts";
import { Secret } from "../secret.ts";

const CANARY = "canary-0815";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-run-"));
  writeFileSync(join(folder, "asked"), "");
  process.env["KB_TEST_CANARY"] = CANARY;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that prints a secret, and notes that it was asked. */
const command = (word: string): string =>
  `!secret '${`command:["/bin/sh", "-c", "echo ${word} >>${folder}/asked; echo ${CANARY}"]`}'`;

async function inventory(): Promise<Inventory> {
  const file = join(folder, "hosts.yml");
  writeFileSync(
    file,
    `all:
  vars: { ansible_connection: local, ansible_become: no }
  children:
    db:
      hosts: { a: , b: }
      vars:
        password: ${command("used")}
        list: [{ token: !secret env:KB_TEST_CANARY }]
        ansible_become_password: ${command("become")}
        unused: ${command("unused")}
        missing: !secret env:KB_TEST_NO_SUCH_VARIABLE
        gone: !secret age:none.age#x
    other:
      hosts: { c: }
      vars: { password: ${command("other")} }
`,
  );
  return readInventory(file);
}

/** Plays a playbook whose group has these vars, on this machine. */
async function run(shape: z.ZodRawShape, work: (vars: Readonly<Record<string, unknown>>) => void = () => {}) {
  const events: RunEvent[] = [];
  let connected = 0;
  const playbook = definePlaybook({
    name: "p",
    summary: "p",
    groups: { db: z.object(shape) },
    async run({ db }, { note }) {
      for (const host of db) {
        work(host.vars);
        note(
          `vars: ${inspect(host.vars, { depth: 9 })} ${JSON.stringify(host.vars)} ${String(Object.values(host.vars))}`,
        );
      }
    },
  });
  const report = await play(playbook, {
    inventory: await inventory(),
    mode: "check",
    directory: folder,
    emit: (event) => events.push(event),
    connect: async () => {
      connected += 1;
      throw new Error("nothing here connects");
    },
  });
  return { report, events, connected: () => connected };
}

describe("a run's secrets", () => {
  it("are those that it uses, each asked for once, and are told nowhere", async () => {
    const seen: unknown[] = [];
    const shape = { password: secretParam(), list: z.array(z.object({ token: z.instanceof(Secret) })) };
    const { report, events } = await run(shape, (vars) => seen.push(vars["password"]));
    expect(report.error).toBeUndefined();
    expect(seen.map((value) => (value instanceof Secret ? value.reveal() : value))).toEqual([CANARY, CANARY]);
    expect(readFileSync(join(folder, "asked"), "utf8").split("\n").toSorted().join(" ").trim()).toBe("become used");
    const told = [inspect(events, { depth: 20 }), JSON.stringify(events), inspect(report, { depth: 20 })].join("\n");
    expect(told).toContain("<secret>");
    expect(told).not.toContain(CANARY);
    expect(process.env["KB_TEST_CANARY"]).toBeUndefined();
  });

  it("that lead nowhere stop it before any connection, all of them named with their places", async () => {
    const attempt = run({ missing: secretParam(), gone: secretParam() });
    await expect(attempt).rejects.toMatchObject({
      message: "2 secrets cannot be read",
      detail: expect.stringMatching(
        /hosts\.yml:11:\d+: env:KB_TEST_NO_SUCH_VARIABLE: .* is not set\n.*hosts\.yml:12:\d+: age:none\.age#x: there is no /,
      ),
    });
  });

  it("do not fit where a text is wanted, and the error says why without telling them", async () => {
    const attempt = run({ password: z.string() });
    await expect(attempt).rejects.toMatchObject({
      message: expect.stringMatching(/hosts\.yml:7:\d+: a \(group db\): password: /),
      hint: "the value is a secret: in the schema, secretParam() takes one",
    });
    await attempt.catch((error: unknown) => expect(inspect(error, { depth: 9 })).not.toContain(CANARY));
  });

  it("of a loose schema are all that its hosts have", async () => {
    const playbook = definePlaybook({ name: "p", summary: "p", groups: { other: z.looseObject({}) }, async run() {} });
    const options = { inventory: await inventory(), mode: "check" as const, directory: folder, emit: () => {} };
    await play(playbook, { ...options, connect: async () => Promise.reject(new Error("nothing here connects")) });
    expect(readFileSync(join(folder, "asked"), "utf8")).toBe("other\n");
  });
});
