import { ask, type Output, type Probe, type Secret, type Sh, sh } from "@keybuzz/runner";
import { MARIADB_CONTAINER, STATE } from "../paths.ts";

/** What a node says of itself, by the server's own names. */
export interface NodeEvidence {
  /** Rows of GLOBAL_STATUS and a few variables, in lower case; empty where no server answers. */
  readonly values: ReadonlyMap<string, string>;
  /** What the client said where no server answers. */
  readonly refusal: string;
  /** Whether something would bootstrap at the next start: a flag, an option in the container or the unit. */
  readonly bootstrapArmed: boolean;
}

/** What a proxy says of itself and of the nodes. */
export interface ProxyEvidence {
  /** `hostgroup address status`, sorted, of run time; empty where the admin port does not answer. */
  readonly servers: readonly string[];
  readonly refusal: string;
  /** First line of the health agent's answer, and its text. */
  readonly health: string;
  /** Whether the well-known admin:admin is let in. */
  readonly defaultAdmin: boolean;
}

const QUERY = `SELECT LOWER(VARIABLE_NAME), VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN (
  'wsrep_cluster_status', 'wsrep_cluster_size', 'wsrep_cluster_conf_id', 'wsrep_cluster_state_uuid', 'wsrep_ready',
  'wsrep_connected', 'wsrep_local_state_comment', 'wsrep_flow_control_paused', 'wsrep_local_recv_queue_avg',
  'wsrep_local_recv_queue', 'wsrep_provider_version')
UNION ALL SELECT 'version', @@version UNION ALL SELECT 'read_only', IF(CAST(@@read_only AS CHAR) IN ('0', 'OFF'), '0', '1')
UNION ALL SELECT 'wsrep_desync', @@wsrep_desync UNION ALL SELECT 'gtid_binlog_pos', @@gtid_binlog_pos
UNION ALL SELECT 'wsrep_cluster_address', @@wsrep_cluster_address`;

/** Tables need a Primary node; their query comes last, so that a node without quorum still answers the rest. */
const ACCOUNTS = `SELECT 'anonymous_accounts', COUNT(*) FROM mysql.global_priv WHERE User = ''
UNION ALL SELECT 'remote_root', IFNULL(GROUP_CONCAT(Host), '') FROM mysql.global_priv
  WHERE User = 'root' AND Host NOT IN ('localhost', '127.0.0.1', '::1')`;

/** Everything that the checks need to know of a node, as root of the server. */
export function nodeEvidence(runtime: "docker" | "native", rootPassword: Secret): Probe<NodeEvidence> {
  const client = sh`mariadb --defaults-file=/dev/fd/4 --user=root --connect-timeout=3 --batch --skip-column-names --force 4<<EOF
[client]
password="$p"
EOF`;
  const inside = sh`IFS= read -r p; ${client}`;
  const server =
    runtime === "docker"
      ? sh`timeout 20 docker exec -i ${MARIADB_CONTAINER} sh -c ${inside.text}`
      : sh`timeout 20 sh -c ${inside.text}`;
  const script = sh`IFS= read -r kb_p || [ -n "$kb_p" ] || exit 1
{ printf '%s\n' "$kb_p"; printf '%s;\n' ${QUERY} ${ACCOUNTS}; } | { ${server}; } 2>&1
echo '== armed'
${armed(runtime)}`;
  return ask({ script, stdin: rootPassword }, parseNode);
}

function armed(runtime: "docker" | "native"): Sh {
  const flag = sh`[ ! -e ${`${STATE}/bootstrap`} ] || echo flag`;
  const option =
    runtime === "docker"
      ? sh`docker inspect -f '{{.Path}} {{join .Args " "}}' ${MARIADB_CONTAINER} 2>/dev/null | grep -o -e --wsrep-new-cluster`
      : sh`[ ! -e /run/mysqld/wsrep-new-cluster ] || echo file; systemctl cat mariadb.service 2>/dev/null | grep -o -e '--wsrep-new-cluster'`;
  return sh`${flag}; ${option}; true`;
}

function parseNode({ stdout }: Output): NodeEvidence {
  const [said = "", flags = ""] = stdout.split("== armed\n");
  const rows = said.split("\n").flatMap((line): [string, string][] => {
    const [name, value] = line.split("\t");
    return name !== undefined && value !== undefined ? [[name, value]] : [];
  });
  const refusal = said.split("\n").filter((line) => line !== "" && !line.includes("\t"));
  return { values: new Map(rows), refusal: refusal.join("; "), bootstrapArmed: flags.trim() !== "" };
}

const SERVERS = "SELECT hostgroup_id, hostname, status FROM runtime_mysql_servers ORDER BY 1, 2";

/** Everything that the checks need to know of a proxy. */
export function proxyEvidence(adminPassword: Secret): Probe<ProxyEvidence> {
  const options = sh`--host=127.0.0.1 --port=6032 --protocol=tcp --user=admin --skip-ssl-verify-server-cert --connect-timeout=3`;
  const script = sh`IFS= read -r p || [ -n "$p" ] || exit 1
timeout 10 mariadb --defaults-file=/dev/fd/4 ${options} --batch --skip-column-names -e ${SERVERS} 2>&1 4<<EOF
[client]
password="$p"
EOF
echo '== health'
printf 'GET /writable HTTP/1.0\r\n\r\n' | timeout 10 /opt/keybuzz/proxysql/health/agent 2>&1 | tr -d '\r' | sed -n -e 1p -e '$p'
echo '== default'
timeout 10 mariadb --defaults-file=/dev/fd/4 ${options} -e 'SELECT 1' >/dev/null 2>&1 4<<'EOF' && echo open
[client]
password=admin
EOF
true`;
  return ask({ script, stdin: adminPassword }, parseProxy);
}

function parseProxy({ stdout }: Output): ProxyEvidence {
  const [said = "", rest = ""] = stdout.split("== health\n");
  const [health = "", open = ""] = rest.split("== default\n");
  const lines = said.split("\n").filter((line) => line !== "");
  return {
    servers: lines.filter((line) => line.includes("\t")).map((line) => line.replaceAll("\t", " ")),
    refusal: lines.filter((line) => !line.includes("\t")).join("; "),
    health: health.trim().replaceAll("\n", ": "),
    defaultAdmin: open.includes("open"),
  };
}

/** A port that must not be reachable from the host that is asked. */
export interface ClosedPort {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Which of these ports answer although they should not. A firewall that drops gives no answer: 2 s are waited, once. */
export function openPorts(ports: readonly ClosedPort[]): Probe<readonly string[]> {
  const tests = ports.map(
    ({ name, address, port }) =>
      sh`( timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' ${address} ${port} 2>/dev/null && echo ${`${name}:${port}`} ) &`,
  );
  const script = tests.reduce(
    (all, test) => sh`${all}
${test}`,
    sh`:`,
  );
  return ask(
    sh`${script}
wait`,
    ({ stdout }) =>
      stdout
        .split("\n")
        .filter((line) => line !== "")
        .sort(),
  );
}
