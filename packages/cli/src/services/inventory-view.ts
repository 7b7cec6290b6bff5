import {
  type Inventory,
  InventoryError,
  type InventoryGroup,
  type InventoryHost,
  matchHosts,
  renderSource,
  suggest,
} from "@keybuzz/runner";

/** A var of a host, with where it was written. */
export interface VarView {
  readonly name: string;
  readonly value: unknown;
  /** `file:line:column` */
  readonly source: string;
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
  const host = inventory.hosts.get(name);
  if (host !== undefined) return toView(host);
  throw new InventoryError(`no host "${name}" in ${inventory.file}`, { hint: suggest(name, inventory.hosts.keys()) });
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
  const children = [...new Set([...(all?.children ?? []), ...top.map(({ name }) => name)])];
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
    vars: [...host.vars].map(([name, { value, source }]) => ({
      name,
      value: SECRET_NAME.test(name) ? "<secret>" : value,
      source: renderSource(source),
    })),
  };
}
