import {
  apt,
  directory,
  dockerContainer,
  dockerImage,
  proxysqlServers,
  proxysqlUsers,
  proxysqlVariables,
  service,
  systemdUnit,
  template,
  waitFor,
} from "@keybuzz/modules";
import { defineRole, type Host, Secret, sh, type Task } from "@keybuzz/runner";
import type * as z from "zod";
import { proxysqlPackage } from "./packages.ts";
import { ProxysqlHost, type ProxysqlParams, proxysqlParams } from "./params.ts";
import { galeraHostgroups, HOSTGROUPS, serverRows, userRows, variables } from "./tables.ts";

export { ProxysqlHost } from "./params.ts";

const BASE = "/opt/keybuzz/proxysql";
const AGENT = `${BASE}/health/agent`;
const AGENT_LOGIN = `${BASE}/health/login.cnf`;

type Proxy = Host<z.output<typeof ProxysqlHost>>;

/** Programs and files of the proxies: all that needs no database yet, so that both tiers can come up side by side. */
export const proxysqlFiles = defineRole({
  name: "proxysql_files",
  summary: "Programs, configuration files and the health agent of the proxies",
  params: proxysqlParams,
  host: ProxysqlHost,
  async run({ hosts, params }) {
    await hosts.ensure((host) => [...programs(host), ...files(host, params), ...agent(params)]);
  },
});

/**
 * ProxySQL in front of a Galera cluster: one writer with fail-over, the others readers. Each proxy is declared for itself;
 * ProxySQL's own clustering is not used, since its peers overwrite what the Galera monitor finds (sysown/proxysql #3641).
 * After {@link proxysqlFiles}: what can fail is done everywhere before anything that serves is touched.
 */
export const proxysql = defineRole({
  name: "proxysql",
  summary: "ProxySQL in front of the cluster: one writer with fail-over, readers, a health agent",
  params: proxysqlParams,
  host: ProxysqlHost,
  async run({ hosts, params }) {
    // One after the other: a restart of both would be an outage.
    await hosts.serial(1).ensure((host) => [...server(host), ...content(params), proven(params)]);
  },
});

function programs({ vars }: Proxy): readonly Task[] {
  const client = apt({ name: ["mariadb-client", "socat"], install_recommends: false });
  if (vars.proxysql_runtime === "docker") return [client, dockerImage({ name: vars.proxysql_image })];
  return [client, ...proxysqlPackage(vars)];
}

/** Where ProxySQL looks for its first configuration. */
function configPath({ vars }: Proxy): string {
  return vars.proxysql_runtime === "docker" ? `${BASE}/conf/proxysql.cnf` : "/etc/proxysql.cnf";
}

function files(host: Proxy, params: ProxysqlParams): readonly Task[] {
  const native = host.vars.proxysql_runtime === "native";
  return [
    ...["", "/conf", "/data", "/health"].map((folder) =>
      directory({ path: `${BASE}${folder}`, mode: "0755", owner: "root", group: "root" }),
    ),
    template({
      src: new URL("templates/proxysql.cnf.ejs", import.meta.url),
      dest: configPath(host),
      vars: {
        datadir: "/var/lib/proxysql",
        adminPassword: params.credentials.adminPassword,
        adminInterfaces: "0.0.0.0:6032",
        interfaces: `${host.address}:3306`,
        threads: host.vars.proxysql_threads,
        serverVersion: params.serverVersion,
        monitorUser: params.monitorUser,
        monitorPassword: params.credentials.monitorPassword,
      },
      mode: native ? "0640" : "0600",
      owner: "root",
      group: native ? "proxysql" : "root",
    }),
    template({
      src: new URL("templates/health.cnf.ejs", import.meta.url),
      dest: AGENT_LOGIN,
      vars: { address: host.address, user: params.healthUser, password: params.credentials.healthPassword },
      mode: "0600",
      owner: "root",
      group: "root",
    }),
  ];
}

/** What the load balancer asks, in place of a mere open port. */
function agent(params: ProxysqlParams): readonly Task[] {
  return [
    template({
      src: new URL("templates/health-agent.sh.ejs", import.meta.url),
      dest: AGENT,
      vars: { defaultsFile: AGENT_LOGIN },
      mode: "0755",
      owner: "root",
      group: "root",
      validate: sh`sh -n "$KB_FILE"`,
    }),
    systemdUnit({
      name: "keybuzz-proxy-health@.service",
      content: `[Unit]
Description=Answer one health check of the load balancer (KeyBuzz)

[Service]
ExecStart=${AGENT}
StandardInput=socket
StandardError=journal
RuntimeMaxSec=10
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
NoNewPrivileges=true
`,
    }),
    systemdUnit({
      name: "keybuzz-proxy-health.socket",
      content: `[Unit]
Description=Health checks of the load balancer (KeyBuzz)

[Socket]
ListenStream=${params.healthPort}
Accept=yes
MaxConnections=16

[Install]
WantedBy=sockets.target
`,
    }),
    service({
      name: "keybuzz-proxy-health.socket",
      state: "started",
      enabled: true,
      restartedAfter: ["/etc/systemd/system/keybuzz-proxy-health.socket"],
    }),
  ];
}

/** The process itself; its configuration file only matters before its first start, so a new one restarts nothing. */
function server(host: Proxy): readonly Task[] {
  const ready = {
    test: sh`timeout 2 bash -c '</dev/tcp/127.0.0.1/6032' 2>/dev/null`,
    what: "ProxySQL's admin port",
    timeoutMs: 30_000,
  };
  if (host.vars.proxysql_runtime === "docker") {
    return [
      dockerContainer({
        name: "proxysql",
        image: host.vars.proxysql_image,
        network_mode: "host",
        restart_policy: "unless-stopped",
        volumes: [`${configPath(host)}:/etc/proxysql.cnf:ro`, `${BASE}/data:/var/lib/proxysql`],
        ready,
      }),
    ];
  }
  return [
    systemdUnit({
      name: "proxysql.service",
      dropin: "keybuzz",
      content: "[Service]\n# The package's unit stays down after a crash.\nRestart=on-failure\nRestartSec=1s\n",
    }),
    service({ name: "proxysql", state: "started", enabled: true, ready }),
  ];
}

function content(params: ProxysqlParams): readonly Task[] {
  const { adminPassword } = params.credentials;
  const login = { password: adminPassword };
  const accounts = new Secret(["admin", "kbadmin"].map((name) => `${name}:${adminPassword.reveal()}`).join(";"));
  return [
    proxysqlVariables({ login, variables: { ...variables(params), "admin-admin_credentials": accounts } }),
    proxysqlUsers({ login, users: userRows(params) }),
    proxysqlServers({ login, servers: serverRows(params), galera_hostgroups: galeraHostgroups(), unmanaged: "remove" }),
  ];
}

/**
 * A node can be written to through this proxy, and the Galera monitor has made its first round: until then every node
 * that was just loaded counts as a writer, and certification conflicts follow.
 */
function proven(params: ProxysqlParams): Task {
  const health = sh`printf 'GET /writable HTTP/1.0\r\n\r\n' | ${AGENT}`;
  const options = sh`--host=127.0.0.1 --port=6032 --protocol=tcp --user=admin --skip-ssl-verify-server-cert --connect-timeout=3`;
  const writers = `SELECT COUNT(*) FROM runtime_mysql_servers WHERE hostgroup_id = ${HOSTGROUPS.writer} AND status = 'ONLINE'`;
  return waitFor({
    test: sh`IFS= read -r p || [ -n "$p" ] || exit 1
[ "$(timeout 5 mariadb --defaults-file=/dev/fd/4 ${options} --batch --skip-column-names -e ${writers} 4<<EOF
[client]
password="$p"
EOF
)" = 1 ] && ${health} | head -n 1 | grep -q ' 200 '`,
    stdin: params.credentials.adminPassword,
    what: "a single writable node through this proxy",
    timeoutMs: 30_000,
    onTimeout: sh`${health} | tail -n 1`,
  });
}
