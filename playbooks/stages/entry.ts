import type { Hosts } from "@keybuzz/runner";
import type * as z from "zod";
import type { Credentials } from "../../roles/credentials/role.ts";
import { haproxy } from "../../roles/haproxy/role.ts";
import { prepare } from "../../roles/prepare/role.ts";
import { proxysql } from "../../roles/proxysql/role.ts";
import { type Balancer, endpoints, fleetOf, type Groups, type Proxy } from "./hosts.ts";

type Proxies = Hosts<z.output<typeof Proxy>>;
type Balancers = Hosts<z.output<typeof Balancer>>;

/** The proxies' hosts, made ready for them. */
export async function prepareProxies(groups: Groups & { readonly proxysql: Proxies }): Promise<void> {
  const docker = groups.proxysql.declared.some(({ vars }) => vars.proxysql_runtime === "docker");
  await prepare(groups.proxysql, { kind: "proxysql", fleet: [...fleetOf(groups)], docker });
}

/** ProxySQL in front of the nodes. */
export async function proxies(
  groups: Groups & { readonly proxysql: Proxies },
  credentials: Credentials,
): Promise<void> {
  const { monitorPassword, adminPassword, healthPassword, verifyPassword, appUser, appPassword } = credentials;
  await proxysql(groups.proxysql, {
    nodes: endpoints(groups.mariadb),
    credentials: { monitorPassword, adminPassword, healthPassword, verifyPassword, appUser, appPassword },
  });
}

/** The self-hosted entry point, where the inventory has a host for it. */
export async function entryPoint(groups: Groups & { readonly loadbalancer: Balancers }): Promise<void> {
  if (groups.loadbalancer.declared.length === 0) return;
  await prepare(groups.loadbalancer, { kind: "loadbalancer", fleet: [...fleetOf(groups)], docker: false });
  await haproxy(groups.loadbalancer, { backends: endpoints(groups.proxysql) });
}

/** Address that ERPNext connects to; undefined where the inventory names none. */
export function entryAddress({
  loadbalancer,
  proxysql,
}: {
  loadbalancer: Balancers;
  proxysql: Proxies;
}): string | undefined {
  const [balancer] = loadbalancer.declared;
  if (balancer !== undefined) return balancer.vars.entry_point ?? balancer.address;
  return proxysql.declared[0]?.vars.entry_points[0];
}
