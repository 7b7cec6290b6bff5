import { definePlaybook } from "@keybuzz/runner";
import { prepareBalancers, prepareProxies } from "./stages/entry.ts";
import { BalancerHost, ProxyHost } from "./stages/hosts.ts";
import { NodeHost, prepareNodes } from "./stages/nodes.ts";

/** Step 01: names, kernel settings, firewall, Docker, the data volume; on all hosts at once. */
export default definePlaybook({
  name: "prepare",
  summary: "Makes all hosts ready: names, kernel settings, firewall, Docker, the data volume",
  groups: { mariadb: NodeHost, proxysql: ProxyHost },
  optionalGroups: { loadbalancer: BalancerHost },
  async run(groups, play) {
    play.phase("prepare");
    await Promise.all([prepareNodes(groups), prepareProxies(groups), prepareBalancers(groups)]);
  },
});
