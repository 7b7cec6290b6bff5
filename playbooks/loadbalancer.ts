import { definePlaybook } from "@keybuzz/runner";
import { GaleraHost } from "../roles/galera/params.ts";
import { entryPoint, installEntryPoint } from "./stages/entry.ts";
import { BalancerHost, ProxyHost } from "./stages/hosts.ts";

/** The entry point that ERPNext knows, in front of the proxies. */
export default definePlaybook({
  name: "loadbalancer",
  summary: "The one address of the database, in front of the proxies",
  groups: { mariadb: GaleraHost, proxysql: ProxyHost, loadbalancer: BalancerHost },
  async run(groups, play) {
    play.phase("entry point");
    await installEntryPoint(groups);
    await entryPoint(groups);
  },
});
