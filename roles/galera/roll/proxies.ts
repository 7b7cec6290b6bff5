import { waitFor } from "@keybuzz/modules";
import { ask, type Hosts, type Probe, type Secret, type Sh, sh, type Task } from "@keybuzz/runner";
import type { RollProxy } from "./plan.ts";

/** Of the proxies' role: the writers' hostgroup, and all in which a node serves. */
const WRITERS = 10;
const SERVING = [10, 20, 30];

/** Asks the admin port; the password comes by standard input. */
function askAdmin(query: string): Sh {
  const options = sh`--host=127.0.0.1 --port=6032 --protocol=tcp --user=admin --skip-ssl-verify-server-cert --connect-timeout=3`;
  return sh`timeout 10 mariadb --defaults-file=/dev/fd/4 ${options} --batch --skip-column-names -e ${query} 4<<EOF
[client]
password="$p"
EOF`;
}

const PASSWORD = sh`IFS= read -r p || [ -n "$p" ] || exit 1`;

/** Who writes where; `silent` are proxies that did not answer. */
export async function writersOf(
  proxies: Hosts<unknown>,
  adminPassword: Secret,
): Promise<{ readonly seen: readonly RollProxy[]; readonly silent: readonly string[] }> {
  const answers = await proxies.probe(writers(adminPassword));
  const seen = answers.flatMap(({ host, value }): RollProxy[] =>
    value === undefined ? [] : [{ name: host.name, writers: value }],
  );
  const names = seen.map(({ name }) => name);
  const asked = [...proxies.live.map(({ name }) => name), ...proxies.lost.map(({ host }) => host.name)];
  return { seen, silent: asked.filter((name) => !names.includes(name)) };
}

function writers(adminPassword: Secret): Probe<readonly string[] | undefined> {
  const query = `SELECT hostname FROM runtime_mysql_servers WHERE hostgroup_id = ${WRITERS} AND status = 'ONLINE' ORDER BY 1`;
  const script = sh`${PASSWORD}
${askAdmin(query)}`;
  return ask({ script, stdin: adminPassword }, ({ stdout, exitCode }) =>
    exitCode === 0 ? stdout.split("\n").filter((line) => line !== "") : undefined,
  );
}

/** Waits until a proxy sends nothing to a node any more, has another writer, and has no connection to the node in use. */
export function goneFromProxies(address: string, adminPassword: Secret, timeoutMs: number): Task {
  const serving = `hostgroup_id IN (${SERVING.join(", ")}) AND status = 'ONLINE' AND hostname = '${address}'`;
  const query = `SELECT (SELECT COUNT(*) FROM runtime_mysql_servers WHERE ${serving})
|| ' ' || (SELECT COUNT(*) FROM runtime_mysql_servers WHERE hostgroup_id = ${WRITERS} AND status = 'ONLINE')
|| ' ' || (SELECT IFNULL(SUM(ConnUsed), 0) FROM stats_mysql_connection_pool WHERE srv_host = '${address}')`;
  return waitFor({
    test: sh`${PASSWORD}
[ "$(${askAdmin(query)}
)" = '0 1 0' ]`,
    stdin: adminPassword,
    what: `${address} to be out of rotation, and without clients`,
    timeoutMs,
  });
}

/** Waits until a proxy uses a node again, and has one writer. */
export function backInProxies(address: string, adminPassword: Secret, timeoutMs: number): Task {
  const query = `SELECT (SELECT COUNT(*) > 0 FROM runtime_mysql_servers WHERE hostgroup_id IN (${SERVING.join(", ")}) AND status = 'ONLINE' AND hostname = '${address}')
|| ' ' || (SELECT COUNT(*) FROM runtime_mysql_servers WHERE hostgroup_id = ${WRITERS} AND status = 'ONLINE')`;
  return waitFor({
    test: sh`${PASSWORD}
[ "$(${askAdmin(query)}
)" = '1 1' ]`,
    stdin: adminPassword,
    what: `${address} to be in rotation again, beside one writer`,
    timeoutMs,
  });
}
