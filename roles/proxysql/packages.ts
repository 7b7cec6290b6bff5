import { apt, aptRepository, command, directory } from "@keybuzz/modules";
import { sh, type Task } from "@keybuzz/runner";
import type * as z from "zod";
import type { ProxysqlHost } from "./params.ts";

const KEY = "/etc/apt/keyrings/proxysql.asc";

/**
 * ProxySQL's package from ProxySQL's own repository: Debian has none. The key comes from where the vendor publishes it, over
 * TLS, once; from then on apt accepts nothing that it does not sign.
 * @see https://proxysql.com/documentation/installing-proxysql/
 */
export function proxysqlPackage({ proxysql_repository: repository }: z.output<typeof ProxysqlHost>): readonly Task[] {
  return [
    apt({ name: ["ca-certificates", "curl"], install_recommends: false }),
    directory({ path: "/etc/apt/keyrings", mode: "0755", owner: "root", group: "root" }),
    command(
      {
        run: sh`curl --fail --silent --show-error --location --proto =https --max-time 60 --output ${`${KEY}.new`} ${repository.key}
grep -q 'BEGIN PGP PUBLIC KEY BLOCK' ${`${KEY}.new`} || { echo 'that is no armored key' >&2; exit 1; }
chmod 0644 ${`${KEY}.new`} && mv -f ${`${KEY}.new`} ${KEY}`,
        creates: KEY,
        touches: [`file:${KEY}`],
        timeoutMs: 90_000,
      },
      { name: "key of ProxySQL's repository" },
    ),
    aptRepository({ name: "proxysql", uris: [repository.uri], suites: ["./"], signed_by: KEY }),
    apt({ name: "proxysql" }),
  ];
}
