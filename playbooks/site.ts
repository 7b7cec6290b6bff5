import { definePlaybook } from "@keybuzz/runner";
import { credentialStore } from "../roles/credentials/role.ts";
import { entryPoint, installEntryPoint, installProxies, proxies } from "./stages/entry.ts";
import { BalancerHost, ProxyHost } from "./stages/hosts.ts";
import { clusterFromBareHosts, NodeHost } from "./stages/nodes.ts";
import { verification } from "./stages/verification.ts";

/** Steps 00 to 04: from bare hosts to an entry point that is proved to work. */
export default definePlaybook({
  name: "site",
  summary: "All of Module 7: cluster, proxies, entry point, and every check of them",
  groups: { mariadb: NodeHost, proxysql: ProxyHost },
  optionalGroups: { loadbalancer: BalancerHost },
  async run(groups, play) {
    play.phase("credentials");
    const credentials = await credentialStore(play.controller, { directory: play.directory });
    play.phase("nodes, and beside them the programs of the proxies and the entry point");
    await Promise.all([
      clusterFromBareHosts(groups, credentials),
      installProxies(groups, credentials),
      installEntryPoint(groups),
    ]);
    play.phase("proxysql");
    await proxies(groups, credentials);
    play.phase("entry point");
    await entryPoint(groups);
    play.phase("verify");
    await verification(groups, credentials, play);
  },
});
