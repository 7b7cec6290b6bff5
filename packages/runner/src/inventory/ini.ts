import { InventoryError } from "../errors.ts";
import type { InventoryBuilder } from "./builder.ts";
import { splitHostLine } from "./host-line.ts";
import { parseHostEntry } from "./host-name.ts";
import { hasTemplate, renderSource, type Source, type Sourced, suggest } from "./inventory.ts";
import { type PythonLiteral, readPythonLiteral } from "./python-literal.ts";
import { shown } from "./read-text.ts";

const KINDS = ["hosts", "children", "vars"] as const;

type Kind = (typeof KINDS)[number];

interface Section {
  readonly group: string;
  readonly kind: Kind;
}

const SECTION = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/;

/**
 * Adds what a text in Ansible's INI form declares: hosts with their vars, `[group]`, `[group:children]`, `[group:vars]`.
 * Values are Python literals where they are any, and else the text that they are.
 * @throws InventoryError with file, line and column
 * @see https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ini_inventory.html
 */
export function addIni(file: string, text: string, builder: InventoryBuilder): void {
  new IniReader(shown(file), builder).read(text);
}

class IniReader {
  readonly #file: string;
  readonly #builder: InventoryBuilder;
  /** What `[x:vars]` and lines of `[y:children]` speak of, and no section of its own has declared yet. */
  readonly #pending = new Map<
    string,
    { readonly source: Source; readonly problem: string; readonly parents: string[] }
  >();

  constructor(file: string, builder: InventoryBuilder) {
    this.#file = file;
    this.#builder = builder;
  }

  read(text: string): void {
    let section: Section = { group: "ungrouped", kind: "hosts" };
    for (const [index, raw] of text
      .replace(/^\uFEFF/, "")
      .split(/\r\n|[\r\n]/)
      .entries()) {
      const line = raw.trim();
      if (line === "" || /^[;#]/.test(line)) continue;
      const source = { file: this.#file, line: index + 1, column: raw.length - raw.trimStart().length + 1 };
      const header = SECTION.exec(line);
      if (header !== null) section = this.#section(header, source);
      else if (line.startsWith("[") && line.endsWith("]")) {
        this.#refuse(
          source,
          `${line} is no section`,
          "write [group], [group:children] or [group:vars], without spaces",
        );
      } else this.#line(line, section, source);
    }
    const [undeclared] = this.#pending;
    if (undeclared === undefined) return;
    const [name, { source, problem }] = undeclared;
    const others = this.#builder.groupNames().filter((group) => !this.#pending.has(group));
    this.#refuse(source, `${problem}, and no section declares the group ${name}`, suggest(name, others));
  }

  #section([, group = "", kindText = "hosts"]: RegExpExecArray, source: Source): Section {
    const kind = KINDS.find((known) => known === kindText);
    if (kind === undefined) {
      return this.#refuse(source, `[${group}:${kindText}] is no kind of section`, suggest(kindText, KINDS));
    }
    const isNew = !this.#builder.hasGroup(group);
    if (kind === "vars") {
      if (isNew && !this.#pending.has(group)) {
        this.#pending.set(group, { source, problem: `[${group}:vars] sets vars`, parents: [] });
      }
      this.#builder.group(group, source, undefined);
      return { group, kind };
    }
    this.#builder.group(group, source, undefined);
    for (const parent of this.#pending.get(group)?.parents ?? []) this.#builder.group(group, source, parent);
    this.#pending.delete(group);
    return { group, kind };
  }

  #line(line: string, { group, kind }: Section, source: Source): void {
    if (kind === "hosts") this.#hosts(line, group, source);
    else if (kind === "children") this.#child(line, group, source);
    else {
      const split = line.indexOf("=");
      if (split < 0) this.#refuse(source, `${JSON.stringify(line)} sets no var`, "write NAME=VALUE");
      const value = line.slice(split + 1);
      const column = source.column + split + 1 + value.length - value.trimStart().length;
      this.#builder.groupVar(group, line.slice(0, split).trim(), sourced(value.trim(), { ...source, column }));
    }
  }

  #hosts(line: string, group: string, source: Source): void {
    const words = splitHostLine(line);
    if (words === undefined) this.#refuse(source, "a quotation has no end here", "close it, or escape it by \\");
    const [entry, ...settings] = words;
    if (entry === undefined) return;
    const { names, port } = parseHostEntry(entry.text, source);
    const vars: [string, Sourced][] = port === undefined ? [] : [["ansible_port", { value: port, source }]];
    for (const { text, start } of settings) {
      const place = { ...source, column: source.column + start };
      const split = text.indexOf("=");
      if (split < 0)
        this.#refuse(place, `${JSON.stringify(text)} sets no var`, "write NAME=VALUE, with quotes around spaces");
      const value = { ...place, column: place.column + split + 1 };
      vars.push([text.slice(0, split), sourced(text.slice(split + 1), value)]);
    }
    for (const name of names) {
      this.#builder.host(name, source, group);
      for (const [variable, value] of vars) this.#builder.hostVar(name, variable, value);
    }
  }

  #child(line: string, group: string, source: Source): void {
    const [, child] = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(line) ?? [];
    if (child === undefined) this.#refuse(source, `${JSON.stringify(line)} is no group`, "one name a line");
    if (this.#builder.hasGroup(child)) this.#builder.group(child, source, group);
    const pending = this.#pending.get(child);
    if (pending !== undefined) pending.parents.push(group);
    else if (!this.#builder.hasGroup(child)) {
      this.#pending.set(child, { source, problem: `[${group}:children] has ${child}`, parents: [group] });
    }
  }

  #refuse(source: Source, problem: string, hint: string): never {
    throw new InventoryError(`${renderSource(source)}: ${problem}`, { hint });
  }
}

function sourced(text: string, source: Source): Sourced {
  const { value } = readPythonLiteral(text) ?? { value: text };
  return { value, source, ...(holdsTemplate(value) ? { templates: [source] } : {}) };
}

function holdsTemplate(value: PythonLiteral): boolean {
  if (typeof value === "string") return hasTemplate(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsTemplate);
}
