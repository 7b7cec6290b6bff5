import type { ClosedPort } from "./evidence.ts";

interface Named {
  readonly name: string;
  readonly address: string;
}

/** The ports that a host of this kind must not reach: every step of the way that is not its own. */
export function closedTo(
  kind: "proxysql" | "loadbalancer",
  self: string,
  fleet: { readonly nodes: readonly Named[]; readonly proxies: readonly Named[] },
): readonly ClosedPort[] {
  const on = (hosts: readonly Named[], ports: readonly number[]): readonly ClosedPort[] =>
    hosts.flatMap(({ name, address }) => ports.map((port) => ({ name, address, port })));
  const others = fleet.proxies.filter(({ name }) => name !== self);
  return kind === "proxysql"
    ? [...on(fleet.nodes, [4444, 4567, 4568]), ...on(others, [3306, 6032])]
    : [...on(fleet.nodes, [3306, 4444, 4567, 4568]), ...on(fleet.proxies, [6032])];
}
