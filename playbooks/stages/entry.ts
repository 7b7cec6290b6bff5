import type { Credentials } from "../../roles/credentials/role.ts";
import { haproxy, haproxyProof } from "../../roles/haproxy/role.ts";
import { prepare } from "../../roles/prepare/role.ts";
import { proxysql, proxysqlFiles } from "../../roles/proxysql/role.ts";
import { endpoints, fleetOf, type Groups } from "./hosts.ts";

/** The proxies' hosts, made ready for them. */
export async function prepareProxies(groups: Groups): Promise<void> {
  const docker = groups.proxysql.declared.some(({ vars }) => vars.proxysql_runtime === "docker");
  await prepare(groups.proxysql, { kind: "proxysql", fleet: [...fleetOf(groups)], docker });
}

/** Programs and files of the proxies; needs no cluster yet. */
export async function installProxies(groups: Groups, credentials: Credentials): Promise<void> {
  await prepareProxies(groups);
  await proxysqlFiles(groups.proxysql, proxyParams(groups, credentials));
}

/** ProxySQL in front of the nodes, which have to be up. */
export async function proxies(groups: Groups, credentials: Credentials): Promise<void> {
  await proxysql(groups.proxysql, proxyParams(groups, credentials));
}

function proxyParams(groups: Groups, credentials: Credentials) {
  const { monitorPassword, adminPassword, healthPassword, verifyPassword, appUser, appPassword } = credentials;
  return {
    nodes: endpoints(groups.mariadb),
    credentials: { monitorPassword, adminPassword, healthPassword, verifyPassword, appUser, appPassword },
  };
}

/** The load balancers' hosts, made ready for them. */
export async function prepareBalancers(groups: Groups): Promise<void> {
  await prepare(groups.loadbalancer, { kind: "loadbalancer", fleet: [...fleetOf(groups)], docker: false });
}

/** The self-hosted entry point, where the inventory has a host for it; needs no proxy yet. */
export async function installEntryPoint(groups: Groups): Promise<void> {
  if (groups.loadbalancer.declared.length === 0) return;
  await prepareBalancers(groups);
  await haproxy(groups.loadbalancer, { backends: endpoints(groups.proxysql) });
}

/** Waits until the entry point leads to a node that takes writes. */
export async function entryPoint(groups: Groups): Promise<void> {
  await haproxyProof(groups.loadbalancer, {});
}

/** Address that ERPNext connects to; undefined where the inventory names none. */
export function entryAddress({ loadbalancer, proxysql }: Groups): string | undefined {
  const [balancer] = loadbalancer.declared;
  if (balancer !== undefined) return balancer.vars.entry_point ?? balancer.address;
  return proxysql.declared[0]?.vars.entry_points[0];
}
