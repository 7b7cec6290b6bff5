import { definePlaybook } from "@keybuzz/runner";
import { credentialStore } from "../roles/credentials/role.ts";
import { installProxies, proxies } from "./stages/entry.ts";
import { BalancerHost, ProxyHost } from "./stages/hosts.ts";
import { clusterFromBareHosts, NodeHost } from "./stages/nodes.ts";

/** Steps 00 to 03: from bare hosts to a cluster with its proxies. */
export default definePlaybook({
  name: "galera",
  summary: "The Galera cluster and ProxySQL in front of it, from bare hosts",
  groups: { mariadb: NodeHost, proxysql: ProxyHost },
  optionalGroups: { loadbalancer: BalancerHost },
  async run(groups, play) {
    play.phase("credentials");
    const credentials = await credentialStore(play.controller, { directory: play.directory });
    play.phase("nodes, and the proxies' programs beside them");
    await Promise.all([clusterFromBareHosts(groups, credentials), installProxies(groups, credentials)]);
    play.phase("proxysql");
    await proxies(groups, credentials);
  },
});
