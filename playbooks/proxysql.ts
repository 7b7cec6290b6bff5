import { definePlaybook } from "@keybuzz/runner";
import { credentialStore } from "../roles/credentials/role.ts";
import { GaleraHost } from "../roles/galera/params.ts";
import { installProxies, proxies } from "./stages/entry.ts";
import { BalancerHost, ProxyHost } from "./stages/hosts.ts";

/** Step 03 alone: the proxies in front of a cluster that is up. */
export default definePlaybook({
  name: "proxysql",
  summary: "ProxySQL in front of the cluster",
  groups: { mariadb: GaleraHost, proxysql: ProxyHost },
  optionalGroups: { loadbalancer: BalancerHost },
  async run(groups, play) {
    play.phase("credentials");
    const credentials = await credentialStore(play.controller, { directory: play.directory });
    play.phase("proxysql");
    await installProxies(groups, credentials);
    await proxies(groups, credentials);
  },
});
