import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { InventoryError } from "../errors.ts";
import { InventoryBuilder } from "./builder.ts";
import { type Inventory, renderSource, type Source, type Sourced } from "./inventory.ts";
import { expandRange } from "./range.ts";

/**
 * Reads an inventory in Ansible's YAML form: groups with `hosts`, `children` and `vars`, names with ranges
 * (`web[01:20]`), and beside it `group_vars/NAME.yml` and `host_vars/NAME.yml`.
 *
 * Precedence, the last wins: `all`'s vars, a group's vars (a child's over its parent's), the host's own entry,
 * `group_vars/` in the same order, `host_vars/`.
 * @throws InventoryError with file, line and column
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
 */
export async function readYamlInventory(file: string): Promise<Inventory> {
  const document = await readYaml(file);
  const builder = new InventoryBuilder(file);
  const root = document.map(document.root, "an inventory is a map of groups");
  for (const pair of root.items) readGroup(document, builder, pair, undefined);
  const folder = dirname(file);
  for (const group of builder.groupNames()) await readVarsFile(folder, "group_vars", group, builder);
  for (const host of builder.hostNames()) await readVarsFile(folder, "host_vars", host, builder);
  return builder.build();
}

type Pair = YAMLMap<ParsedNode, ParsedNode | null>["items"][number];

const GROUP_KEYS = ["hosts", "children", "vars"] as const;

function readGroup(document: YamlFile, builder: InventoryBuilder, pair: Pair, parent: string | undefined): void {
  const name = document.text(pair.key);
  builder.group(name, document.sourceOf(pair.key), parent);
  if (isEmpty(pair.value)) return;
  const body = document.map(pair.value, `group ${name} is a map of ${GROUP_KEYS.join(", ")}`);
  for (const entry of body.items) {
    const key = document.text(entry.key);
    if (key === "hosts") readHosts(document, builder, entry, name);
    else if (key === "children") {
      if (isEmpty(entry.value)) continue;
      for (const child of document.map(entry.value, "children is a map of groups").items) {
        readGroup(document, builder, child, name);
      }
    } else if (key === "vars") {
      for (const [variable, sourced] of readVars(document, entry.value)) builder.groupVar(name, variable, sourced);
    } else {
      document.fail(entry.key, `group ${name} has no key "${key}"`, `one of: ${GROUP_KEYS.join(", ")}`);
    }
  }
}

function readHosts(document: YamlFile, builder: InventoryBuilder, entry: Pair, group: string): void {
  if (isEmpty(entry.value)) return;
  for (const pair of document.map(entry.value, "hosts is a map of host names").items) {
    const source = document.sourceOf(pair.key);
    for (const name of expandRange(document.text(pair.key), source)) {
      builder.host(name, source, group);
      for (const [variable, sourced] of readVars(document, pair.value)) builder.hostVar(name, variable, sourced);
    }
  }
}

function readVars(document: YamlFile, node: ParsedNode | null | undefined): [string, Sourced][] {
  if (isEmpty(node)) return [];
  return document
    .map(node, "vars are a map")
    .items.map((pair) => [document.text(pair.key), document.sourced(pair.value ?? pair.key, pair.value ?? null)]);
}

function isEmpty(node: ParsedNode | null | undefined): node is null | undefined {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

async function readVarsFile(folder: string, kind: string, name: string, builder: InventoryBuilder): Promise<void> {
  for (const ending of ["yml", "yaml"]) {
    const file = join(folder, kind, `${name}.${ending}`);
    const document = await readYaml(file, true);
    if (document === undefined) continue;
    for (const [variable, sourced] of readVars(document, document.root)) {
      if (kind === "group_vars") builder.groupFileVar(name, variable, sourced);
      else builder.hostFileVar(name, variable, sourced);
    }
  }
}

async function readYaml(file: string): Promise<YamlFile>;
async function readYaml(file: string, optional: true): Promise<YamlFile | undefined>;
async function readYaml(file: string, optional = false): Promise<YamlFile | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (optional && cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new InventoryError(`cannot read the inventory ${file}`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: "name an inventory with -i FILE",
      cause,
    });
  }
  return new YamlFile(file, text);
}

/** A YAML file whose nodes know where they stand. */
class YamlFile {
  readonly root: ParsedNode | null;
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(file: string, text: string) {
    this.#file = relative(process.cwd(), file) || file;
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    const [problem] = document.errors;
    if (problem !== undefined) {
      throw new InventoryError(`${renderSource(this.#position(problem.pos[0]))}: ${problem.message}`);
    }
    this.#document = document;
    this.root = document.contents;
  }

  text(node: ParsedNode | null): string {
    if (isScalar(node) && node.value !== null) return String(node.value);
    return this.fail(node, "a name is expected here");
  }

  map(node: ParsedNode | null | undefined, rule: string): YAMLMap<ParsedNode, ParsedNode | null> {
    if (isMap(node)) return node as YAMLMap<ParsedNode, ParsedNode | null>;
    return this.fail(node ?? null, rule);
  }

  sourced(place: ParsedNode, node: ParsedNode | null): Sourced {
    return {
      value: node === null ? null : node.toJS(this.#document),
      source: this.sourceOf(place),
      at: (path) => this.#sourceAt(place, path),
    };
  }

  sourceOf(node: Node | null): Source {
    return this.#position(node?.range?.[0] ?? 0);
  }

  fail(node: Node | null, message: string, hint?: string): never {
    throw new InventoryError(`${renderSource(this.sourceOf(node))}: ${message}`, { hint });
  }

  #sourceAt(node: ParsedNode, path: readonly PropertyKey[]): Source {
    let deepest: Node = node;
    for (const key of path) {
      const next: unknown = "get" in deepest ? (deepest as YAMLMap).get(key, true) : undefined;
      if (!isNode(next)) break;
      deepest = next;
    }
    return this.sourceOf(deepest);
  }

  #position(offset: number): Source {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line, column: col };
  }
}
