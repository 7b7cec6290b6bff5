import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { InventoryError } from "../errors.ts";
import { InventoryBuilder } from "./builder.ts";
import { parseHostEntry } from "./host-name.ts";
import { addIni } from "./ini.ts";
import type { Inventory } from "./inventory.ts";
import { addModule } from "./module.ts";
import { readText, shown } from "./read-text.ts";
import { addScript, isScript } from "./script.ts";
import { warnOfUnknownVars } from "./target.ts";
import { addTsv, type TsvMapping } from "./tsv.ts";
import { addVarsFiles, type VarsFilesOptions } from "./vars-files.ts";
import { addYaml } from "./yaml.ts";

/** What reading an inventory may need. */
export interface ReadOptions extends VarsFilesOptions {
  /** What the columns of a tab-separated list mean. */
  readonly tsvMapping?: (file: string) => Promise<TsvMapping>;
}

/**
 * Reads an inventory of any kind, and `group_vars/` and `host_vars/` beside it: Ansible's YAML and INI files, a
 * tab-separated list, a program that prints JSON, a TypeScript module, a folder of them, or a list of names (`a,b,`).
 * @throws InventoryError with file, line and column
 */
export async function readInventory(path: string, options: ReadOptions = {}): Promise<Inventory> {
  const builder = new InventoryBuilder(path);
  if (isHostList(path)) addHostList(path, builder);
  else {
    await addSource(path, builder, options);
    await addVarsFiles(path, builder, options);
  }
  const inventory = builder.build();
  return { ...inventory, warnings: [...inventory.warnings, ...warnOfUnknownVars(inventory)] };
}

/** Whether `-i` names hosts rather than a file: there is a comma in it, and no such file. */
export function isHostList(path: string): boolean {
  return path.includes(",") && statSync(path, { throwIfNoEntry: false }) === undefined;
}

function addHostList(list: string, builder: InventoryBuilder): void {
  const source = { file: "the list of hosts", line: 0, column: 0 };
  for (const entry of list.split(",").map((part) => part.trim())) {
    if (entry === "") continue;
    const { names, port } = parseHostEntry(entry, source);
    for (const name of names) {
      builder.host(name, source, "ungrouped");
      if (port !== undefined) builder.hostVar(name, "ansible_port", { value: port, source });
    }
  }
}

async function addSource(path: string, builder: InventoryBuilder, options: ReadOptions): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return addFolder(path, builder, options);
  switch (kindOf(path)) {
    case "module":
      return addModule(path, builder);
    case "tsv":
      return addList(path, builder, options);
    case "script":
      return addScript(path, builder);
    case "yaml":
      return addYaml(path, await readText(path), builder);
    case "ini":
      return addIni(path, await readText(path), builder);
  }
}

async function addList(path: string, builder: InventoryBuilder, { tsvMapping }: ReadOptions): Promise<void> {
  if (tsvMapping === undefined) throw new InventoryError(`nothing says what the columns of ${path} mean`);
  addTsv(shown(path), await readText(path), await tsvMapping(path), builder);
}

/** Files in the order of their names; of one var in two files the later one's value counts. */
async function addFolder(folder: string, builder: InventoryBuilder, options: ReadOptions): Promise<void> {
  const files = readdirSync(folder)
    .toSorted()
    .filter((name) => !isIgnored(name));
  for (const name of files) {
    const path = join(folder, name);
    if (/\.(?:ini|cfg)$/.test(name)) {
      builder.warn(`${shown(path)} is passed over, as by Ansible: in a folder of inventories, leave the ending out`);
    } else await addSource(path, builder, options);
  }
  if (files.length > 0) return;
  throw new InventoryError(`there is no inventory in the folder ${folder}`, {
    hint: "group_vars and host_vars alone declare no hosts",
  });
}

/**
 * What Ansible leaves out of a folder, and what else is code beside an inventory rather than one.
 * @see https://docs.ansible.com/ansible/latest/reference_appendices/config.html#inventory-ignore-exts
 */
function isIgnored(name: string): boolean {
  if (name.startsWith(".") || ["group_vars", "host_vars", "vars_plugins"].includes(name)) return true;
  return /(?:\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|retry)|~|-tsv\.ts|\.test\.ts|\.d\.ts)$/.test(name);
}

type Kind = "module" | "tsv" | "script" | "yaml" | "ini";

const KINDS: Readonly<Record<string, Kind>> = {
  ".ts": "module",
  ".mts": "module",
  ".js": "module",
  ".mjs": "module",
  ".tsv": "tsv",
  ".yml": "yaml",
  ".yaml": "yaml",
  ".json": "yaml",
  ".ini": "ini",
  ".cfg": "ini",
};

function kindOf(path: string): Kind {
  const ending = extname(path);
  if (ending === ".toml") {
    throw new InventoryError(`${path}: inventories in TOML cannot be read`, {
      hint: "convert it: ansible-inventory --list --export -y",
    });
  }
  const start = firstText(path);
  if (start.startsWith("#!") && KINDS[ending] !== "module") return "script";
  return KINDS[ending] ?? (isScript(path) ? "script" : looksLikeYaml(start) ? "yaml" : "ini");
}

/** For a file without an ending that tells: INI begins with a section or a host, YAML with a key. */
function looksLikeYaml(text: string): boolean {
  const first = text.split(/\r?\n/).find((line) => line.trim() !== "" && !/^\s*[#;]/.test(line)) ?? "";
  return /^(?:---|\{|[^\s=[]+:(?:\s|$)|"[^"]*"\s*:)/.test(first);
}

function firstText(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, 65_536);
  } catch {
    // Whoever reads it as what it is says why it cannot.
    return "";
  }
}
