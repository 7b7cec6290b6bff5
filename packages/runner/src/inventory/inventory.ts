import type { Secret } from "../secret.ts";
import { nearest } from "./nearest.ts";

/** Where a value was written: for errors, and for "why does this host have that?". */
export interface Source {
  readonly file: string;
  /** From 1; 0 where a file has no lines to speak of. */
  readonly line: number;
  readonly column: number;
}

/** A value with its source. `at` finds the source of a part of it. */
export interface Sourced {
  readonly value: unknown;
  readonly source: Source;
  at?(path: readonly PropertyKey[]): Source;
  /** Where it holds text that Ansible would evaluate as a Jinja template. Here it is text; see {@link hasTemplate}. */
  readonly templates?: readonly Source[];
}

export type Vars = ReadonlyMap<string, Sourced>;

/**
 * The levels at which a var can be written, the lowest first: a higher one wins. They are Ansible's, in its order.
 * @see https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence
 */
export const VAR_LEVELS = [
  "all, in the inventory",
  "group, in the inventory",
  "group_vars/all",
  "group_vars",
  "host, in the inventory",
  "host_vars",
] as const;

export type VarLevel = (typeof VAR_LEVELS)[number];

/** One place that gives a var a value for a host, be it the last word or not. */
export interface Definition extends Sourced {
  readonly level: VarLevel;
  /** The group or host that it was written for. */
  readonly owner: string;
}

/** A host as an inventory declares it, its groups' vars merged in. */
export interface InventoryHost {
  readonly name: string;
  readonly source: Source;
  /** Every group that it is in, nearest first, `all` last. */
  readonly groups: readonly string[];
  readonly vars: Vars;
  /** Every definition of every var that it has, the one that counts last. */
  readonly definitions: ReadonlyMap<string, readonly Definition[]>;
}

export interface InventoryGroup {
  readonly name: string;
  readonly source: Source;
  /** Names of its own hosts in the order of their entries, then those of its child groups. */
  readonly hosts: readonly string[];
  /** Names of the groups directly in this one. */
  readonly children: readonly string[];
}

/** Hosts and groups, whatever they were read from. */
export interface Inventory {
  /** The file or folder that it was read from. */
  readonly file: string;
  readonly hosts: ReadonlyMap<string, InventoryHost>;
  readonly groups: ReadonlyMap<string, InventoryGroup>;
  /** What was read, but may not mean what its author thinks; each with its place. */
  readonly warnings: readonly string[];
}

/** Something that hosts and groups can be read from. @throws InventoryError with file, line and column */
export type ReadInventory = (file: string) => Promise<Inventory>;

/** Connection settings that the command line gives for all hosts; an inventory's own come first. */
export interface ConnectionDefaults {
  /** The way in for hosts that ask for none but ssh. */
  readonly connection?: "ssh" | "openssh";
  readonly privateKeyFile?: string;
  readonly password?: Secret;
  readonly becomePassword?: Secret;
}

/** `file:line:column` as editors and terminals link it. */
export function renderSource(source: Source): string {
  return source.line === 0 ? source.file : `${source.file}:${source.line}:${source.column}`;
}

/** `did you mean maria-01?` where a known name is near; `known: a, b, c` otherwise. */
export function suggest(name: string, known: Iterable<string>): string {
  const names = [...known];
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean ${near}?`;
  return names.length === 0
    ? "there are none"
    : `known: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", ..." : ""}`;
}

/**
 * Whether Ansible would evaluate a text as a Jinja template. Nothing here ever does: such a value is refused where it is
 * used, since the text itself is not what its author meant.
 */
export function hasTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}
