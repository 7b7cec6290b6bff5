import type { Hosts } from "@keybuzz/runner";
import * as z from "zod";
import { type Credentials, credentialFiles } from "../../roles/credentials/role.ts";
import { GaleraHost } from "../../roles/galera/params.ts";
import { galera } from "../../roles/galera/role.ts";
import { dataVolume, PreparedNode, prepare } from "../../roles/prepare/role.ts";
import { fleetOf, type Groups } from "./hosts.ts";

/** What a node of Module 7 declares: what its roles read, in one schema. */
export const NodeHost = z.object({ ...PreparedNode.shape, ...GaleraHost.shape });

/** The groups, with the nodes' own vars. */
export interface NodeGroups extends Groups {
  readonly mariadb: Hosts<z.output<typeof NodeHost>>;
}

/** The nodes' hosts, made ready for the database. */
export async function prepareNodes(groups: NodeGroups): Promise<void> {
  const docker = groups.mariadb.declared.some(({ vars }) => vars.mariadb_runtime === "docker");
  await prepare(groups.mariadb, { kind: "mariadb", fleet: [...fleetOf(groups)], docker });
  await dataVolume(groups.mariadb, {});
}

async function nodes(groups: NodeGroups, credentials: Credentials): Promise<void> {
  await credentialFiles(groups.mariadb, { credentials });
  await galera(groups.mariadb, { credentials });
}

/** The nodes, from bare hosts to a cluster. */
export async function clusterFromBareHosts(groups: NodeGroups, credentials: Credentials): Promise<void> {
  await prepareNodes(groups);
  await nodes(groups, credentials);
}
