import { eventually } from "./eventually.ts";
import { ENTRY_POINT, type Fleet, NODES } from "./fleet.ts";

/** What a node says of its cluster. */
export interface NodeStatus {
  readonly uuid: string;
  readonly size: number;
  readonly state: string;
  readonly status: string;
}

const TIDY = "--batch --skip-column-names --connect-timeout=5";

/** Runs statements on a node as root of its server, through its socket. Lines of tab-separated fields. */
export async function rootSql(fleet: Fleet, host: string, statements: string): Promise<string> {
  const client = `mariadb --no-defaults --user=root ${TIDY}`;
  const script = fleet.runtime === "docker" ? `docker exec -i mariadb ${client}` : client;
  return fleet.sh(host, script, { input: statements });
}

/** Runs statements on a proxy's admin port. */
export async function adminSql(fleet: Fleet, host: string, statements: string): Promise<string> {
  const { PROXYSQL_ADMIN_PASSWORD = "" } = await fleet.credentials();
  const login = "--user=admin --host=127.0.0.1 --port=6032 --protocol=tcp --skip-ssl-verify-server-cert";
  return fleet.sh(host, withPassword(`${login} ${TIDY}`), { input: `${PROXYSQL_ADMIN_PASSWORD}\n${statements}` });
}

/** Runs statements through the entry point, from a host, as an account of the private network. */
export async function entrySql(
  fleet: Fleet,
  from: string,
  statements: string,
  login?: { readonly user: string; readonly password: string },
): Promise<string> {
  const { MARIADB_VERIFY_PASSWORD = "" } = await fleet.credentials();
  const { user, password } = login ?? { user: "keybuzz_verify", password: MARIADB_VERIFY_PASSWORD };
  const options = `--user=${user} --host=${ENTRY_POINT} --protocol=tcp --skip-ssl-verify-server-cert ${TIDY}`;
  return fleet.sh(from, withPassword(options), { input: `${password}\n${statements}` });
}

/** A client that reads its password from the first line of its input, and the statements from the rest. */
export function withPassword(options: string): string {
  return `IFS= read -r p; exec mariadb --defaults-file=/dev/fd/4 ${options} 4<<EOF
[client]
password="$p"
EOF`;
}

/** What a node says of the cluster. @throws where its server does not answer */
export async function nodeStatus(fleet: Fleet, host: string): Promise<NodeStatus> {
  const names = "'wsrep_cluster_state_uuid','wsrep_cluster_size','wsrep_local_state_comment','wsrep_cluster_status'";
  const text = await rootSql(fleet, host, `SHOW GLOBAL STATUS WHERE Variable_name IN (${names})`);
  const values = new Map(
    text.split("\n").map((line): [string, string] => {
      const [name = "", value = ""] = line.split("\t");
      return [name, value];
    }),
  );
  const value = (name: string): string => values.get(name) ?? "";
  return {
    uuid: value("wsrep_cluster_state_uuid"),
    size: Number(value("wsrep_cluster_size")),
    state: value("wsrep_local_state_comment"),
    status: value("wsrep_cluster_status"),
  };
}

/** Waits until all three nodes are Synced members of one cluster, and tells its UUID. */
export async function wholeCluster(fleet: Fleet, timeoutMs = 5_000): Promise<string> {
  return eventually("three nodes Synced in one cluster", timeoutMs, async () => {
    const nodes = await Promise.all(NODES.map((host) => nodeStatus(fleet, host)));
    const bad = nodes.filter(({ size, state, status }) => size !== 3 || state !== "Synced" || status !== "Primary");
    if (bad.length > 0) throw new Error(JSON.stringify(nodes));
    const [uuid = "", ...others] = new Set(nodes.map((node) => node.uuid));
    if (others.length > 0) throw new Error(`several clusters: ${[uuid, ...others].join(", ")}`);
    return uuid;
  });
}
