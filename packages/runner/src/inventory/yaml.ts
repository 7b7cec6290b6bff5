import type { ParsedNode, YAMLMap } from "yaml";
import { InventoryBuilder } from "./builder.ts";
import { parseHostEntry } from "./host-name.ts";
import { type Inventory, suggest } from "./inventory.ts";
import { readText } from "./read-text.ts";
import { addVarsFiles } from "./vars-files.ts";
import { YamlFile } from "./yaml-file.ts";

/**
 * Reads an inventory in Ansible's YAML form, and `group_vars/` and `host_vars/` beside it.
 * @throws InventoryError with file, line and column
 * @see https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html
 */
export async function readYamlInventory(file: string): Promise<Inventory> {
  const builder = new InventoryBuilder(file);
  addYaml(file, await readText(file), builder);
  await addVarsFiles(file, builder, {});
  return builder.build();
}

type Pair = YAMLMap<ParsedNode, ParsedNode | null>["items"][number];

const GROUP_KEYS = ["hosts", "children", "vars"] as const;

/** Adds what a text in Ansible's YAML form declares. @throws InventoryError with file, line and column */
export function addYaml(file: string, text: string, builder: InventoryBuilder): void {
  const document = new YamlFile(file, text, (warning) => builder.warn(warning));
  if (document.isEmpty(document.root)) document.fail(null, "the inventory is empty");
  const root = document.map(document.root, "an inventory is a map of groups");
  for (const pair of document.entries(root)) {
    if (document.text(pair.key) === "plugin") {
      document.fail(
        pair.key,
        "this configures an inventory plugin of Ansible, which cannot be used here",
        "write what it finds to a file: ansible-inventory --list --export -y, or read it by a script",
      );
    }
    readGroup(document, builder, pair, undefined);
  }
}

function readGroup(document: YamlFile, builder: InventoryBuilder, pair: Pair, parent: string | undefined): void {
  const name = document.text(pair.key);
  builder.group(name, document.sourceOf(pair.key), parent);
  if (document.isEmpty(pair.value)) return;
  const body = document.map(pair.value, `group ${name} is a map of ${GROUP_KEYS.join(", ")}`);
  for (const entry of document.entries(body)) {
    const key = document.text(entry.key);
    if (key === "hosts") readHosts(document, builder, entry, name);
    else if (key === "children") readChildren(document, builder, entry, name);
    else if (key === "vars") {
      for (const [variable, sourced] of document.vars(entry.value)) builder.groupVar(name, variable, sourced);
    } else document.fail(entry.key, `group ${name} has no key "${key}"`, suggest(key, GROUP_KEYS));
  }
}

function readChildren(document: YamlFile, builder: InventoryBuilder, entry: Pair, parent: string): void {
  if (document.isEmpty(entry.value)) return;
  if (document.isText(entry.value)) {
    builder.group(document.text(entry.value), document.sourceOf(entry.value), parent);
    return;
  }
  for (const child of document.entries(document.map(entry.value, "children is a map of groups"))) {
    readGroup(document, builder, child, parent);
  }
}

function readHosts(document: YamlFile, builder: InventoryBuilder, entry: Pair, group: string): void {
  if (document.isEmpty(entry.value)) return;
  if (document.isText(entry.value)) {
    addHosts(document, builder, entry.value, null, group);
    return;
  }
  for (const pair of document.entries(document.map(entry.value, "hosts is a map of host names"))) {
    addHosts(document, builder, pair.key, pair.value, group);
  }
}

function addHosts(
  document: YamlFile,
  builder: InventoryBuilder,
  key: ParsedNode,
  vars: ParsedNode | null,
  group: string,
): void {
  const source = document.sourceOf(key);
  const { names, port } = parseHostEntry(document.text(key), source);
  const written = document.vars(vars);
  for (const name of names) {
    builder.host(name, source, group);
    if (port !== undefined) builder.hostVar(name, "ansible_port", { value: port, source });
    for (const [variable, sourced] of written) builder.hostVar(name, variable, sourced);
  }
}
