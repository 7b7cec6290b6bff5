import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { InventoryError, PlaybookError } from "@keybuzz/runner";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findInventory, readInventory } from "./find-inventory.ts";
import { findPlaybook, loadPlaybook } from "./find-playbook.ts";
import { parseParams } from "./params.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-find-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text = ""): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** The error that work ends with. */
async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a playbook", () => {
  test.each(["galera", "galera.ts", "playbooks/galera.ts", "./playbooks/galera"])("is found as %s", (name) => {
    const file = write("playbooks/galera.ts");
    expect(findPlaybook(name, folder)).toBe(file);
  });

  test("in playbooks/ comes before one of the same name elsewhere", () => {
    write("galera.ts");
    const file = write("playbooks/galera.ts");
    expect(findPlaybook("galera.ts", folder)).toBe(file);
  });

  test("that is mistyped is answered with the nearest, tests left out", async () => {
    write("playbooks/verify.ts");
    write("playbooks/verfy.test.ts");
    expect(await errorOf(() => findPlaybook("verfy", folder))).toMatchObject({ hint: "did you mean verify?" });
  });

  test("that is nothing like any is answered with all", async () => {
    write("playbooks/verify.ts");
    expect(await errorOf(() => findPlaybook("postgres", folder))).toMatchObject({ hint: "known: verify" });
  });

  test("that does not compile names the place", async () => {
    const file = write("broken.ts", "export const a: = 1;\n");
    const error = await errorOf(() => loadPlaybook(file));
    expect(error).toBeInstanceOf(PlaybookError);
    expect(error).toMatchObject({ detail: expect.stringMatching(/broken\.ts:1/) });
  });

  test("that throws while it loads names the place", async () => {
    const file = write("thrower.ts", "\nthrow new TypeError('no such thing');\n");
    expect(await errorOf(() => loadPlaybook(file))).toMatchObject({
      detail: expect.stringMatching(/^TypeError: no such thing\n.*thrower\.ts:2/),
    });
  });

  test("is what definePlaybook made, and nothing else", async () => {
    const made = write("made.ts", "export default { name: 'x', groups: {}, optionalGroups: {}, run() {} };\n");
    expect((await loadPlaybook(made)).name).toBe("x");
    const error = await errorOf(() => loadPlaybook(write("other.ts", "export const answer = 42;\n")));
    expect(error).toMatchObject({ hint: 'write: export default definePlaybook({ name: "...", ... })' });
  });
});

describe("an inventory", () => {
  test("is the one that is named", () => {
    write("inventories/keybuzz.yml");
    expect(findInventory("other.yml", folder)).toBe(join(folder, "other.yml"));
  });

  test("is inventories/keybuzz.yml, or the only one there", () => {
    const only = write("inventories/staging.yml");
    expect(findInventory(undefined, folder)).toBe(only);
    const usual = write("inventories/keybuzz.yml");
    expect(findInventory(undefined, folder)).toBe(usual);
  });

  test("has to be named where there is a choice", async () => {
    write("inventories/a.yml");
    write("inventories/b.tsv");
    expect(await errorOf(() => findInventory(undefined, folder))).toMatchObject({
      message: "there are several inventories",
      detail: "inventories/a.yml\ninventories/b.tsv",
    });
  });

  test("in a .tsv file is read by the mapping beside it", async () => {
    const file = write("fleet.tsv", "NAME\tIP\nweb-1\t192.0.2.1\n");
    const columns = 'columns: ["NAME", "IP"], name: "NAME"';
    const functions = "groups: () => ['web'], vars: (row) => ({ ansible_host: row.IP })";
    write("fleet-tsv.ts", `export const mapping = { ${columns}, ${functions} };\n`);
    const inventory = await readInventory(file, folder);
    expect(inventory.groups.get("web")?.hosts).toEqual(["web-1"]);
  });

  test("in a .tsv file that nothing explains is refused", async () => {
    const file = write("fleet.tsv", "NAME\n");
    const error = await errorOf(() => readInventory(file, folder));
    expect(error).toBeInstanceOf(InventoryError);
    expect(error).toMatchObject({ detail: expect.stringContaining("fleet-tsv.ts") });
  });
});

describe("params", () => {
  test("are everything before and after the first =", () => {
    expect(parseParams(["a=1", "b=x=y", "c="])).toEqual({ a: "1", b: "x=y", c: "" });
  });

  test.each([[["a"]], [["=1"]], [["a=1", "a=2"]]])("%j is refused", (given) => {
    expect(() => parseParams(given)).toThrow(/^-e /);
  });
});
