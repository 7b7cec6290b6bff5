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
}

export type Vars = ReadonlyMap<string, Sourced>;

/** A host as an inventory declares it, its groups' vars merged in. */
export interface InventoryHost {
  readonly name: string;
  readonly source: Source;
  /** Every group that it is in, nearest first, `all` last. */
  readonly groups: readonly string[];
  readonly vars: Vars;
}

export interface InventoryGroup {
  readonly name: string;
  readonly source: Source;
  /** Host names in the order of the inventory, those of child groups included. */
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
