import { type Dirent, readdirSync, statSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import type { ReadVaulted } from "../secrets/ansible-vault.ts";
import type { InventoryBuilder } from "./builder.ts";
import { readText, shown } from "./read-text.ts";
import { YamlFile } from "./yaml-file.ts";

/** Endings in the order in which Ansible looks for them; the first that is there is the only one that is read. */
const ENDINGS = ["", ".yml", ".yaml", ".json"];

/** What reading vars files may need. */
export interface VarsFilesOptions {
  /** Opens files that are sealed as a whole with Ansible Vault; they are refused unless given. */
  readonly readVaulted?: ReadVaulted;
}

/**
 * Adds `group_vars/` and `host_vars/` from beside an inventory's file, or from within its folder: for each name a file
 * without ending, `.yml`, `.yaml` or `.json`, or a folder of such files, which are read in the order of their names.
 * @throws InventoryError with file, line and column
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#organizing-host-and-group-variables
 */
export async function addVarsFiles(path: string, builder: InventoryBuilder, options: VarsFilesOptions): Promise<void> {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? path : dirname(path);
  const groups = filesByName(join(folder, "group_vars"));
  for (const group of builder.groupNames()) {
    for (const file of varsFiles(groups, group, builder)) {
      for (const [name, value] of await readVars(file, builder, options)) builder.groupFileVar(group, name, value);
    }
  }
  const hosts = filesByName(join(folder, "host_vars"));
  for (const host of builder.hostNames()) {
    for (const file of varsFiles(hosts, host, builder)) {
      for (const [name, value] of await readVars(file, builder, options)) builder.hostFileVar(host, name, value);
    }
  }
}

/** A `group_vars` or `host_vars` folder and what lies in it; listed once, since a fleet has many names. */
interface VarsFolder {
  readonly path: string;
  readonly entries: ReadonlyMap<string, Dirent>;
}

function filesByName(path: string): VarsFolder {
  const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const entries = isThere ? readdirSync(path, { withFileTypes: true }) : [];
  return { path, entries: new Map(entries.map((entry) => [entry.name, entry])) };
}

function varsFiles(folder: VarsFolder, name: string, builder: InventoryBuilder): readonly string[] {
  // A name with a slash in it would lead out of the folder; none is in the list either.
  const [found, ...others] = ENDINGS.filter((ending) => folder.entries.has(name + ending));
  if (found === undefined) return [];
  const path = join(folder.path, name + found);
  for (const other of others) {
    builder.warn(`${shown(join(folder.path, name + other))} is passed over, as by Ansible: there is ${shown(path)}`);
  }
  return isFolder(path) ? filesIn(path) : [path];
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .toSorted()
    .filter((name) => !name.startsWith(".") && !name.endsWith("~"))
    .flatMap((name) => {
      const path = join(folder, name);
      if (isFolder(path)) return extname(name) === "" ? filesIn(path) : [];
      return ENDINGS.includes(extname(name)) ? [path] : [];
    });
}

async function readVars(file: string, builder: InventoryBuilder, { readVaulted }: VarsFilesOptions) {
  const text = await readText(file);
  const { openVaultedVars } = await import("../secrets/ansible-vault.ts");
  if (text.startsWith("$ANSIBLE_VAULT;")) return openVaultedVars(file, text, readVaulted);
  const document = new YamlFile(file, text, (warning) => builder.warn(warning));
  return document.vars(document.root);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
