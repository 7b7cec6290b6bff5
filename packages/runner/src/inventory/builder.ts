import { InventoryError } from "../errors.ts";
import {
  type Inventory,
  type InventoryGroup,
  type InventoryHost,
  renderSource,
  type Source,
  type Sourced,
} from "./inventory.ts";

interface GroupDraft {
  readonly source: Source;
  readonly parents: Set<string>;
  readonly hosts: Set<string>;
  readonly vars: Map<string, Sourced>;
  readonly fileVars: Map<string, Sourced>;
}

interface HostDraft {
  readonly source: Source;
  readonly groups: Set<string>;
  readonly vars: Map<string, Sourced>;
  readonly fileVars: Map<string, Sourced>;
}

/** Collects groups, hosts and vars from any source and merges them by the documented precedence. */
export class InventoryBuilder {
  readonly #file: string;
  readonly #groups = new Map<string, GroupDraft>();
  readonly #hosts = new Map<string, HostDraft>();

  constructor(file: string) {
    this.#file = file;
    this.group("all", { file, line: 0, column: 0 }, undefined);
  }

  group(name: string, source: Source, parent: string | undefined): void {
    const draft = this.#groups.get(name) ?? {
      source,
      parents: new Set(),
      hosts: new Set(),
      vars: new Map(),
      fileVars: new Map(),
    };
    this.#groups.set(name, draft);
    if (parent !== undefined && name !== "all") draft.parents.add(parent);
    if (this.#ancestors(name).includes(name)) {
      throw new InventoryError(`${renderSource(source)}: group ${name} is its own descendant`);
    }
  }

  host(name: string, source: Source, group: string): void {
    const draft = this.#hosts.get(name) ?? { source, groups: new Set(), vars: new Map(), fileVars: new Map() };
    this.#hosts.set(name, draft);
    draft.groups.add(group);
    this.#groups.get(group)?.hosts.add(name);
  }

  groupVar(group: string, name: string, value: Sourced): void {
    this.#groups.get(group)?.vars.set(name, value);
  }

  groupFileVar(group: string, name: string, value: Sourced): void {
    this.#groups.get(group)?.fileVars.set(name, value);
  }

  hostVar(host: string, name: string, value: Sourced): void {
    this.#hosts.get(host)?.vars.set(name, value);
  }

  hostFileVar(host: string, name: string, value: Sourced): void {
    this.#hosts.get(host)?.fileVars.set(name, value);
  }

  groupNames(): readonly string[] {
    return [...this.#groups.keys()];
  }

  hostNames(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  build(): Inventory {
    const hosts = new Map<string, InventoryHost>();
    for (const [name, draft] of this.#hosts) hosts.set(name, this.#buildHost(name, draft));
    const groups = new Map<string, InventoryGroup>();
    for (const [name, { source }] of this.#groups) {
      const members = [...hosts.values()].filter((host) => host.groups.includes(name)).map((host) => host.name);
      const children = [...this.#groups].filter(([, group]) => group.parents.has(name)).map(([child]) => child);
      groups.set(name, { name, source, hosts: members, children });
    }
    return { file: this.#file, hosts, groups };
  }

  #buildHost(name: string, draft: HostDraft): InventoryHost {
    const groups = this.#nearestFirst(draft.groups);
    const farthestFirst = [...groups].reverse().flatMap((group) => this.#groups.get(group) ?? []);
    const vars = new Map<string, Sourced>();
    const layers = [
      ...farthestFirst.map((group) => group.vars),
      draft.vars,
      ...farthestFirst.map((group) => group.fileVars),
      draft.fileVars,
    ];
    for (const layer of layers) for (const [key, value] of layer) vars.set(key, value);
    return { name, source: draft.source, groups, vars };
  }

  /** Own groups, then their parents, level by level; `all` last. */
  #nearestFirst(own: ReadonlySet<string>): readonly string[] {
    const order: string[] = [];
    let level = [...own];
    while (level.length > 0) {
      for (const group of level) {
        // A group reached again from further away belongs there: its vars give way to its children's.
        const known = order.indexOf(group);
        if (known >= 0) order.splice(known, 1);
        if (group !== "all") order.push(group);
      }
      level = level.flatMap((group) => [...(this.#groups.get(group)?.parents ?? [])]);
    }
    return [...order, "all"];
  }

  #ancestors(name: string): readonly string[] {
    const seen = new Set<string>();
    let level = [...(this.#groups.get(name)?.parents ?? [])];
    while (level.length > 0) {
      const fresh = level.filter((group) => !seen.has(group));
      for (const group of fresh) seen.add(group);
      level = fresh.flatMap((group) => [...(this.#groups.get(group)?.parents ?? [])]);
    }
    return [...seen];
  }
}
