import { definePlaybook } from "@keybuzz/runner";
import { credentialStore } from "../roles/credentials/role.ts";
import { GaleraHost } from "../roles/galera/params.ts";
import { BalancerHost, ProxyHost } from "./stages/hosts.ts";
import { verification } from "./stages/verification.ts";

/** Step 04: every check that an operator would make by hand. */
export default definePlaybook({
  name: "verify",
  summary: "Every check of the cluster, the proxies and the entry point, as a table",
  groups: { mariadb: GaleraHost, proxysql: ProxyHost },
  optionalGroups: { loadbalancer: BalancerHost },
  async run(groups, play) {
    const credentials = await credentialStore(play.controller, { directory: play.directory });
    play.phase("verify");
    await verification(groups, credentials, play);
  },
});
