import {
  type Inventory,
  InventoryError,
  type InventoryGroup,
  type InventoryHost,
  matchHosts,
  refsIn,
  renderSource,
  Secret,
  SecretRef,
  type Sourced,
  suggest,
  type VarLevel,
} from "@keybuzz/runner";

/** A var of a host, with where it was written. */
export interface VarView {
  readonly name: string;
  readonly value: unknown;
  /** `file:line:column` */
  readonly source: string;
  /** Where its secrets are: `age:credentials/db.age#root`. */
  readonly secrets?: readonly string[];
  /** Whether Ansible would evaluate it as a template. Here a run that uses it stops. */
  readonly template?: true;
}

/** One definition of a var, be it the last word or not. */
export interface DefinitionView extends VarView {
  readonly level: VarLevel;
  /** Group or host that it was written for. */
  readonly owner: string;
  readonly counts: boolean;
}

/** A host as `kb inventory` shows it. */
export interface HostView {
  readonly name: string;
  readonly address: string;
  readonly source: string;
  readonly groups: readonly string[];
  readonly vars: readonly VarView[];
}

/** A group with the hosts that are in it and in none of its children. */
export interface GroupView {
  readonly name: string;
  readonly hosts: readonly HostView[];
  readonly children: readonly GroupView[];
}

const SECRET_NAME = /pass(word|phrase)?$|secret|token/i;

/** One host with its vars. @throws InventoryError with the nearest name */
export function viewHost(inventory: Inventory, name: string): HostView {
  return toView(findHost(inventory, name));
}

function findHost(inventory: Inventory, name: string): InventoryHost {
  const host = inventory.hosts.get(name);
  if (host !== undefined) return host;
  throw new InventoryError(`no host "${name}" in ${inventory.file}`, { hint: suggest(name, inventory.hosts.keys()) });
}

/** Every definition of one var of a host, the lowest level first, the one that counts last. @throws InventoryError */
export function viewWhy(inventory: Inventory, hostName: string, name: string): readonly DefinitionView[] {
  const definitions = findHost(inventory, hostName).definitions;
  const found = definitions.get(name);
  if (found === undefined) {
    throw new InventoryError(`${hostName} has no var "${name}"`, { hint: suggest(name, definitions.keys()) });
  }
  return found.map((definition, index) => {
    const { level, owner } = definition;
    return { ...toVarView(name, definition), level, owner, counts: index === found.length - 1 };
  });
}

/** The hosts that a pattern names, in the order of the inventory. */
export function viewHosts(inventory: Inventory, pattern: string): readonly HostView[] {
  const names = new Set(matchHosts(inventory, pattern));
  return [...inventory.hosts.values()].filter(({ name }) => names.has(name)).map(toView);
}

/** Groups as they are nested, `all` at the top; groups without any of the hosts are left out. */
export function viewTree(inventory: Inventory, hosts: readonly HostView[]): GroupView {
  const all = inventory.groups.get("all");
  const nested = new Set([...inventory.groups.values()].flatMap(({ children }) => children));
  const top = [...inventory.groups.values()].filter(({ name }) => name !== "all" && !nested.has(name));
  // Hosts of no group are shown where they are written: right under all.
  const children = [...new Set([...(all?.children ?? []), ...top.map(({ name }) => name)])].filter(
    (name) => name !== "ungrouped",
  );
  return viewGroup({ name: "all", hosts: hosts.map(({ name }) => name), children }, inventory, hosts);
}

function viewGroup(
  group: Pick<InventoryGroup, "name" | "hosts" | "children">,
  inventory: Inventory,
  hosts: readonly HostView[],
): GroupView {
  const children = group.children.flatMap((name) => {
    const child = inventory.groups.get(name);
    return child?.hosts.some((host) => hosts.some((one) => one.name === host)) ? [child] : [];
  });
  const below = new Set(children.flatMap((child) => child.hosts));
  return {
    name: group.name,
    hosts: hosts.filter(({ name }) => group.hosts.includes(name) && !below.has(name)),
    children: children.map((child) => viewGroup(child, inventory, hosts)),
  };
}

function toView(host: InventoryHost): HostView {
  const address = host.vars.get("ansible_host")?.value;
  return {
    name: host.name,
    address: typeof address === "string" ? address : host.name,
    source: renderSource(host.source),
    groups: host.groups,
    vars: [...host.vars].map(([name, sourced]) => toVarView(name, sourced)),
  };
}

function toVarView(name: string, { value, source, templates }: Sourced): VarView {
  const secrets = [...new Set(refsIn(value).map((ref) => ref.describe()))];
  return {
    name,
    value: shownValue(name, value),
    source: renderSource(source),
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(templates === undefined ? {} : { template: true }),
  };
}

/** A value as anybody may see it: secrets, and what is named like one, are hidden at any depth. */
function shownValue(name: string, value: unknown): unknown {
  if (value instanceof Secret || value instanceof SecretRef) return "<secret>";
  if (Array.isArray(value)) return value.map((item) => shownValue(name, item));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shownValue(key, part)]));
  }
  return SECRET_NAME.test(name) && value !== null && typeof value !== "boolean" ? "<secret>" : value;
}
