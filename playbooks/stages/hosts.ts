import type { Hosts } from "@keybuzz/runner";
import * as z from "zod";
import { LoadBalancerHost } from "../../roles/haproxy/role.ts";
import type { FleetHost, Kind } from "../../roles/prepare/firewall.ts";
import { PreparedHost } from "../../roles/prepare/role.ts";
import { ProxysqlHost } from "../../roles/proxysql/role.ts";

/** What a proxy of Module 7 declares: what its roles read, in one schema. */
export const ProxyHost = z.object({ ...PreparedHost.shape, ...ProxysqlHost.shape });

/** What a load balancer of Module 7 declares. */
export const BalancerHost = z.object({ ...PreparedHost.shape, ...LoadBalancerHost.shape });

/** The groups of Module 7, as its playbooks are given them. */
export interface Groups {
  readonly mariadb: Hosts<unknown>;
  readonly proxysql: Hosts<z.output<typeof ProxyHost>>;
  readonly loadbalancer: Hosts<z.output<typeof BalancerHost>>;
}

/** All hosts of Module 7, whatever `--limit` says: who may talk to whom does not depend on it. */
export function fleetOf({ mariadb, proxysql, loadbalancer }: Groups): readonly FleetHost[] {
  const of = (hosts: Hosts<unknown>, kind: Kind): readonly FleetHost[] =>
    hosts.declared.map(({ name, address }) => ({ name, address, kind }));
  return [...of(mariadb, "mariadb"), ...of(proxysql, "proxysql"), ...of(loadbalancer, "loadbalancer")];
}

/** Names and addresses, as the proxies' and the load balancer's roles take them. */
export function endpoints(hosts: Hosts<unknown>): { name: string; address: string }[] {
  return hosts.declared.map(({ name, address }) => ({ name, address }));
}
