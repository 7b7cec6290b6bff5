import { InventoryError } from "../errors.ts";
import {
  type Definition,
  type Inventory,
  type InventoryGroup,
  type InventoryHost,
  renderSource,
  type Source,
  type Sourced,
  type VarLevel,
} from "./inventory.ts";

type Written = readonly [name: string, value: Sourced];

interface GroupDraft {
  readonly name: string;
  readonly source: Source;
  readonly parents: Set<string>;
  readonly children: Set<string>;
  readonly hosts: Set<string>;
  /** As they were written, one var several times too. */
  readonly vars: Written[];
  readonly fileVars: Written[];
  priority: number;
}

interface HostDraft {
  readonly source: Source;
  readonly groups: Set<string>;
  readonly vars: Written[];
  readonly fileVars: Written[];
}

const NOWHERE: Source = { file: "", line: 0, column: 0 };

/** Collects groups, hosts and vars from any source and merges them by the documented precedence. */
export class InventoryBuilder {
  readonly #file: string;
  readonly #groups = new Map<string, GroupDraft>();
  readonly #hosts = new Map<string, HostDraft>();
  readonly #warnings = new Set<string>();

  constructor(file: string) {
    this.#file = file;
    for (const name of ["all", "ungrouped"]) this.group(name, { ...NOWHERE, file }, undefined);
  }

  /** Declares a group; one that is known already may get one parent more. @throws InventoryError for a circle */
  group(name: string, source: Source, parent: string | undefined): void {
    const draft = this.#groups.get(name) ?? newGroup(name, source);
    this.#groups.set(name, draft);
    if (parent === undefined || name === "all") return;
    draft.parents.add(parent);
    this.#groups.get(parent)?.children.add(name);
    if (this.#ancestors(draft.parents).has(name)) {
      throw new InventoryError(`${renderSource(source)}: group ${name} is its own descendant`);
    }
  }

  host(name: string, source: Source, group: string): void {
    const draft = this.#hosts.get(name) ?? { source, groups: new Set(), vars: [], fileVars: [] };
    this.#hosts.set(name, draft);
    draft.groups.add(group);
    this.#groups.get(group)?.hosts.add(name);
  }

  /** A var of a group. `ansible_group_priority` is none: it ranks the group among those of its depth. */
  groupVar(group: string, name: string, value: Sourced): void {
    const draft = this.#groups.get(group);
    if (name === "ansible_group_priority" && draft !== undefined) draft.priority = toPriority(value);
    else draft?.vars.push([name, value]);
  }

  groupFileVar(group: string, name: string, value: Sourced): void {
    this.#groups.get(group)?.fileVars.push([name, value]);
  }

  hostVar(host: string, name: string, value: Sourced): void {
    this.#hosts.get(host)?.vars.push([name, value]);
  }

  hostFileVar(host: string, name: string, value: Sourced): void {
    this.#hosts.get(host)?.fileVars.push([name, value]);
  }

  warn(text: string): void {
    this.#warnings.add(text);
  }

  groupNames(): readonly string[] {
    return [...this.#groups.keys()];
  }

  hostNames(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  hasGroup(name: string): boolean {
    return this.#groups.has(name);
  }

  hasHost(name: string): boolean {
    return this.#hosts.has(name);
  }

  build(): Inventory {
    this.#reconcile();
    const depths = this.#depths();
    const hosts = new Map<string, InventoryHost>();
    for (const [name, draft] of this.#hosts) hosts.set(name, this.#buildHost(name, draft, depths));
    const groups = new Map<string, InventoryGroup>();
    for (const [name, { source, children }] of this.#groups) {
      groups.set(name, { name, source, hosts: this.#members(name), children: [...children] });
    }
    for (const name of this.#hosts.keys()) {
      if (groups.has(name)) this.warn(`${name} is the name of a host and of a group`);
    }
    return { file: this.#file, hosts, groups, warnings: [...this.#warnings] };
  }

  /** Every group is below `all`, and a host of no other group is in `ungrouped`, as Ansible has it. */
  #reconcile(): void {
    const all = this.#groups.get("all");
    const ungrouped = this.#groups.get("ungrouped");
    for (const group of this.#groups.values()) {
      if (group.name === "all" || group.parents.size > 0) continue;
      group.parents.add("all");
      all?.children.add(group.name);
    }
    for (const [name, { groups }] of this.#hosts) {
      const isGrouped = [...groups].some((group) => group !== "all" && group !== "ungrouped");
      if (isGrouped) {
        groups.delete("ungrouped");
        ungrouped?.hosts.delete(name);
      } else {
        groups.add("ungrouped");
        ungrouped?.hosts.add(name);
      }
    }
  }

  #buildHost(name: string, draft: HostDraft, depths: ReadonlyMap<string, number>): InventoryHost {
    const groups = this.#lowestFirst(draft.groups, depths);
    const all = this.#groups.get("all");
    const layer = (level: VarLevel, owner: string, written: readonly Written[]): (readonly [string, Definition])[] =>
      written.map(([key, sourced]) => [key, { ...sourced, level, owner }] as const);
    const layers = [
      ...layer("all, in the inventory", "all", all?.vars ?? []),
      ...groups.flatMap((group) => layer("group, in the inventory", group.name, group.vars)),
      ...layer("group_vars/all", "all", all?.fileVars ?? []),
      ...groups.flatMap((group) => layer("group_vars", group.name, group.fileVars)),
      ...layer("host, in the inventory", name, draft.vars),
      ...layer("host_vars", name, draft.fileVars),
    ];
    const definitions = Map.groupBy(layers, ([key]) => key);
    const vars = new Map(layers);
    return {
      name,
      source: draft.source,
      groups: [...groups.map((group) => group.name).toReversed(), "all"],
      vars,
      definitions: new Map([...definitions].map(([key, all]) => [key, all.map(([, definition]) => definition)])),
    };
  }

  /** A host's groups without `all`, by depth, priority and name: of two vars of one name the later group's counts. */
  #lowestFirst(own: ReadonlySet<string>, depths: ReadonlyMap<string, number>): readonly GroupDraft[] {
    const names = [...this.#ancestors(own)].filter((name) => name !== "all");
    return names
      .flatMap((name) => this.#groups.get(name) ?? [])
      .toSorted(
        (a, b) =>
          (depths.get(a.name) ?? 0) - (depths.get(b.name) ?? 0) ||
          a.priority - b.priority ||
          (a.name < b.name ? -1 : 1),
      );
  }

  /** The longest way from `all` to each group. */
  #depths(): ReadonlyMap<string, number> {
    const depths = new Map<string, number>([["all", 0]]);
    const depthOf = (name: string): number => {
      const known = depths.get(name);
      if (known !== undefined) return known;
      const parents = [...(this.#groups.get(name)?.parents ?? [])];
      const depth = 1 + Math.max(0, ...parents.map(depthOf));
      depths.set(name, depth);
      return depth;
    };
    for (const name of this.#groups.keys()) depthOf(name);
    return depths;
  }

  /** Own hosts, then those of the groups below, level by level. */
  #members(name: string): readonly string[] {
    const seen = new Set([name]);
    // A set hands out what is added while it is walked.
    for (const group of seen) for (const child of this.#groups.get(group)?.children ?? []) seen.add(child);
    return [...new Set([...seen].flatMap((group) => [...(this.#groups.get(group)?.hosts ?? [])]))];
  }

  /** These groups and all above them. */
  #ancestors(own: ReadonlySet<string>): ReadonlySet<string> {
    const seen = new Set(own);
    for (const group of seen) for (const parent of this.#groups.get(group)?.parents ?? []) seen.add(parent);
    return seen;
  }
}

function newGroup(name: string, source: Source): GroupDraft {
  return {
    name,
    source,
    parents: new Set(),
    children: new Set(),
    hosts: new Set(),
    vars: [],
    fileVars: [],
    priority: 1,
  };
}

function toPriority({ value, source }: Sourced): number {
  const priority = typeof value === "string" ? Number(value) : value;
  if (typeof priority === "number" && Number.isInteger(priority)) return priority;
  throw new InventoryError(`${renderSource(source)}: ansible_group_priority is a whole number`);
}
