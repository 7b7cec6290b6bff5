import type { Hosts, Play } from "@keybuzz/runner";
import type * as z from "zod";
import type { Credentials } from "../../roles/credentials/role.ts";
import { type VerifiedNode, verify } from "../../roles/verify/role.ts";
import { entryAddress } from "./entry.ts";
import type { Groups } from "./hosts.ts";

/** The checks of Module 7, over all of its groups. */
export async function verification(
  groups: Groups & { readonly mariadb: Hosts<z.output<typeof VerifiedNode>> },
  credentials: Credentials,
  play: Play<unknown>,
): Promise<void> {
  await verify({
    nodes: groups.mariadb,
    proxies: groups.proxysql,
    balancers: groups.loadbalancer,
    entryPoint: entryAddress(groups),
    credentials,
    pending: play.pending,
    table: play.table,
  });
}
