import { down, exec, type LabSpec, up } from "@keybuzz/lab";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const lab: LabSpec = {
  name: "images",
  hosts: [
    { name: "node-1", address: "10.8.0.11" },
    { name: "node-2", address: "10.8.0.12" },
    { name: "node-3", address: "10.8.0.13" },
  ],
};
const GATEWAY = "10.8.0.1";
const PASSWORD = `it's a "root" \\ password`;

/** Run a script in a host, and give back its standard output; standard error counts where the exit code is not 0. */
async function sh(host: string, script: string, input = ""): Promise<string> {
  const { code, stdout, stderr } = await exec(lab.name, host, ["sh", "-c", script], { input, timeoutMs: 170_000 });
  if (code !== 0) throw new Error(`${host}: exit ${code}: ${script}\n${stdout}\n${stderr}`);
  return stdout.trim();
}

/** Waits in the host until a command succeeds there. */
function until(host: string, command: string, seconds: number): Promise<string> {
  const loop = `end=$(($(date +%s) + ${seconds})); until ${command}; do [ $(date +%s) -lt $end ] || exit 1; sleep 0.3; done`;
  return sh(host, `${loop} >/tmp/until.log 2>&1 || { cat /tmp/until.log >&2; docker ps -a >&2; exit 1; }`);
}

const sql = (host: string, container: string, query: string, options = "") =>
  sh(host, `docker exec -i ${container} mariadb --batch --skip-column-names ${options}`, query);

beforeAll(async () => {
  await down(lab.name);
  await up(lab);
  const install = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends docker.io docker-cli";
  await Promise.all(lab.hosts.map(({ name }) => sh(name, `${install} && docker pull -q mariadb:11.8`)));
});
afterAll(() => down(lab.name));

describe("the registry", () => {
  it("says of what it does not hold what Docker's own says", async () => {
    const { stderr } = await exec(lab.name, "node-1", ["docker", "pull", "mariadb:99.9"]);
    expect(stderr).toContain("manifest for mariadb:99.9 not found: manifest unknown");
  });

  it("resolves a tag to the digest under which the image was pulled", async () => {
    const digest = await sh("node-1", "docker image inspect -f '{{index .RepoDigests 0}}' mariadb:11.8");
    expect(digest).toMatch(/^mariadb@sha256:[0-9a-f]{64}$/);
    expect(await sh("node-1", `docker pull -q ${digest}`)).toBe(`docker.io/library/${digest}`);
  });

  it("answers for nothing else outside", async () => {
    const ran = await exec(lab.name, "node-1", [
      "curl",
      "-sk",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      `https://${GATEWAY}/`,
    ]);
    expect(ran.stdout).toBe("421");
  });
});

describe("mariadb:11.8", () => {
  it("has the official image's entry point, ports, volumes and ids, and says that it is not it", async () => {
    const config = JSON.parse(await sh("node-1", "docker image inspect -f '{{json .Config}}' mariadb:11.8"));
    expect(config).toMatchObject({
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["mariadbd"],
      ExposedPorts: { "3306/tcp": {} },
      Volumes: { "/var/lib/mysql": {} },
    });
    expect(config.Labels["org.opencontainers.image.description"]).toContain("Not the official image");
    expect(await sh("node-1", "docker run --rm mariadb:11.8 id mysql")).toContain("uid=999(mysql) gid=999(mysql)");
  });

  it("holds what a state transfer needs", async () => {
    const tools = "mariadb-backup mbstream socat ss lsof gosu wsrep_sst_mariabackup galera_recovery";
    await sh("node-1", `docker run --rm mariadb:11.8 sh -c 'which ${tools} && ls /usr/lib/galera/libgalera_smm.so'`);
  });

  it.each([
    ["no password was chosen", "", "password option is not specified"],
    ["a setting is given twice", "-e MARIADB_ROOT_PASSWORD=x -e MARIADB_ROOT_PASSWORD_FILE=/etc/hostname", "both"],
    ["a user has no password", "-e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 -e MARIADB_USER=app", "MARIADB_PASSWORD"],
  ])("refuses to start when %s", async (_what, options, message) => {
    const ran = await exec(lab.name, "node-1", ["sh", "-c", `docker run --rm ${options} mariadb:11.8`]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(message);
  });

  it("refuses an option that the server does not know, and passes on what the server says", async () => {
    const ran = await exec(lab.name, "node-1", ["docker", "run", "--rm", "mariadb:11.8", "--no-such-option"]);
    expect(ran.stderr).toContain("unknown option '--no-such-option'");
  });

  describe("with a new data folder", () => {
    beforeAll(async () => {
      await sh(
        "node-1",
        "mkdir -p /t/conf /t/init /t/secret && cat >/t/secret/root && chmod 600 /t/secret/root",
        PASSWORD,
      );
      await sh("node-1", "cat >/t/conf/zz.cnf", "[mariadbd]\nmax_connections = 77\nlog_bin = bin\n");
      await sh("node-1", "cat >/t/init/1.sql", "CREATE TABLE first (a INT); INSERT INTO first VALUES (1);\n");
      await sh("node-1", "cat | gzip >/t/init/2.sql.gz", "INSERT INTO first VALUES (2);\n");
      await sh("node-1", "cat >/t/init/3.sh", 'docker_process_sql er_p <<<"INSERT INTO first VALUES (3)"\n');
      const env = {
        MARIADB_ROOT_PASSWORD_FILE: "/secret/root",
        MARIADB_ROOT_HOST: "localhost",
        MARIADB_DATABASE: "er_p",
        MARIADB_USER: "app",
        MARIADB_PASSWORD: "apppw",
        MARIADB_MYSQL_LOCALHOST_USER: "1",
        MARIADB_MYSQL_LOCALHOST_GRANTS: "BINLOG MONITOR",
      };
      const settings = Object.entries(env).map(([name, value]) => `-e ${name}='${value}'`);
      const mounts =
        "-v /t/data:/var/lib/mysql -v /t/conf:/etc/mysql/conf.d -v /t/init:/docker-entrypoint-initdb.d -v /t/secret:/secret";
      await sh("node-1", `docker run -d --name new --network host ${mounts} ${settings.join(" ")} mariadb:11.8`);
      await until("node-1", "docker exec new healthcheck.sh --connect --innodb_initialized", 60);
    });
    afterAll(() => sh("node-1", "docker rm -f new; rm -rf /t"));

    it("runs the server as PID 1 and as mysql, over files of mysql", async () => {
      expect(await sh("node-1", "docker exec new sh -c 'cat /proc/1/comm; stat -c %u:%g /proc/1'")).toBe(
        "mariadbd\n999:999",
      );
      expect(await sh("node-1", "find /t/data ! -uid 999 | wc -l")).toBe("0");
    });

    it("gives the database to the user, from anywhere", async () => {
      const query = "SELECT CURRENT_USER(), DATABASE(), GROUP_CONCAT(a ORDER BY a) FROM first";
      expect(await sql("node-1", "new", query, "-h 10.8.0.11 -uapp -papppw er_p")).toBe("app@%\ter_p\t1,2,3");
    });

    it("makes no account but those asked for", async () => {
      const root = "SELECT CONCAT(user, '@', host) FROM mysql.global_priv ORDER BY 1";
      await sh(
        "node-1",
        "docker exec -i new sh -c 'umask 077; cat >/tmp/root.cnf'",
        `[client]\nuser=root\npassword='${PASSWORD.replace("\\", "\\\\").replace("'", "\\'")}'\n`,
      );
      const accounts = await sql("node-1", "new", root, "--no-defaults").catch(() => "refused");
      expect(accounts).toBe("refused");
      const listed = await sh("node-1", "docker exec -i new mariadb --defaults-file=/tmp/root.cnf -BN", root);
      expect(listed.split("\n")).toEqual([
        "app@%",
        "healthcheck@127.0.0.1",
        "healthcheck@::1",
        "healthcheck@localhost",
        "mariadb.sys@localhost",
        "mysql@localhost",
        "root@localhost",
      ]);
    });

    it("keeps root, with ROOT_HOST=localhost, from coming over the network", async () => {
      const ran = await exec(lab.name, "node-1", ["docker", "exec", "new", "mariadb", "-h10.8.0.11", "-uroot", "-px"]);
      expect(ran.stderr).toContain("ERROR 1045");
    });

    it("lets mysql in through the socket, with what was granted", async () => {
      const grants = await sh("node-1", "docker exec -u mysql new mariadb -BN -e 'SHOW GRANTS'");
      expect(grants).toContain("GRANT BINLOG MONITOR ON *.* TO `mysql`@`localhost` IDENTIFIED VIA unix_socket");
    });

    it("has the last word in conf.d, and listens everywhere unless told otherwise", async () => {
      const query = "SELECT @@max_connections, IFNULL(@@bind_address, ''), @@skip_name_resolve";
      expect(await sql("node-1", "new", query, "-h127.0.0.1 -uapp -papppw")).toBe("77\t\t1");
    });

    it("loads time zones", async () => {
      const query = "SELECT CONVERT_TZ('2026-01-01 12:00:00', 'UTC', 'Europe/Paris')";
      expect(await sql("node-1", "new", query, "-h127.0.0.1 -uapp -papppw")).toBe("2026-01-01 13:00:00");
    });

    it.each([
      ["--connect --innodb_initialized --mariadbupgrade", 0],
      ["--su-mysql --connect --innodb_initialized", 0],
      ["--galera_online", 1],
      ["--galera_ready", 1],
      ["--no-such-test", 1],
    ])("healthcheck.sh %s: %i", async (test, code) => {
      const ran = await exec(lab.name, "node-1", ["sh", "-c", `docker exec new healthcheck.sh ${test}`]);
      expect(ran.code).toBe(code);
    });

    it("stops cleanly, and does not initialize what it finds", async () => {
      await sh("node-1", "docker stop --time 60 new");
      expect(await sh("node-1", "docker inspect -f '{{.State.ExitCode}}' new")).toBe("0");
      await sh("node-1", "docker start new");
      await until("node-1", "docker exec new healthcheck.sh --connect", 30);
      const initializations = await sh("node-1", "docker logs new 2>&1 | grep -c 'Initializing database files'");
      expect(initializations).toBe("1");
    });
  });

  it.each([
    ["a hash", "MARIADB_ROOT_PASSWORD_HASH=*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "password"],
    ["an empty password", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1", ""],
  ])("takes %s for root", async (_what, setting, password) => {
    await sh("node-2", `docker run -d --name root -e '${setting}' -e MARIADB_INITDB_SKIP_TZINFO=1 mariadb:11.8`);
    await until("node-2", "docker exec root healthcheck.sh --connect", 60);
    const options = `-h127.0.0.1 -uroot ${password && `-p${password}`}`;
    expect(await sql("node-2", "root", "SELECT CURRENT_USER()", options)).toBe("root@%");
    await sh("node-2", "docker rm -f -v root");
  });

  it("makes a password for root where asked, and logs it once", async () => {
    await sh("node-2", "docker run -d --name root -e MARIADB_RANDOM_ROOT_PASSWORD=1 mariadb:11.8");
    await until("node-2", "docker exec root healthcheck.sh --connect", 60);
    const password = await sh("node-2", "docker logs root 2>&1 | sed -n 's/.*GENERATED ROOT PASSWORD: //p'");
    expect(await sql("node-2", "root", "SELECT 1", `-uroot -p${password}`)).toBe("1");
    await sh("node-2", "docker rm -f -v root");
  });
});

describe("a Galera cluster of mariadb:11.8 containers", () => {
  const members = lab.hosts.map(({ address }) => address).join(",");
  const config = (host: string, address: string) => `[mariadbd]
bind-address = 0.0.0.0
binlog_format = ROW
innodb_autoinc_lock_mode = 2
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_name = images
wsrep_cluster_address = gcomm://${members}
wsrep_node_name = ${host}
wsrep_node_address = ${address}
wsrep_sst_method = mariabackup
`;
  const online = "docker exec db healthcheck.sh --su-mysql --connect --galera_online --galera_ready";
  const status = async (host: string, name: string) =>
    (await sql(host, "db", `SHOW STATUS LIKE '${name}'`, "-uroot -prootpw")).split("\t")[1];

  async function start(host: string, address: string, command: string): Promise<void> {
    await sh(host, "mkdir -p /g/conf /g/data && cat >/g/conf/galera.cnf", config(host, address));
    const mounts = "-v /g/data:/var/lib/mysql -v /g/conf:/etc/mysql/conf.d";
    const env = "-e MARIADB_ROOT_PASSWORD=rootpw -e MARIADB_MYSQL_LOCALHOST_USER=1 -e MARIADB_INITDB_SKIP_TZINFO=1";
    const policy = "--network host --restart unless-stopped --stop-timeout 600";
    await sh(host, `docker run -d --name db ${policy} ${mounts} ${env} mariadb:11.8 ${command}`);
    await until(host, online, 120);
  }

  it("is bootstrapped by one node, and joined by empty ones that are made to skip initialization", async () => {
    await start("node-1", "10.8.0.11", "mariadbd --wsrep-new-cluster");
    // An empty folder `mysql` is taken for a data folder, which the state transfer then fills.
    for (const [host, address] of [
      ["node-2", "10.8.0.12"],
      ["node-3", "10.8.0.13"],
    ] as const) {
      await sh(host, "mkdir -p /g/data/mysql");
      await start(host, address, "mariadbd");
      expect(await sh(host, "docker logs db 2>&1 | grep -c 'Initializing database files' || true")).toBe("0");
    }
    expect(await status("node-3", "wsrep_cluster_size")).toBe("3");
  });

  it("replicates, and has no password file for health checks on a joiner, as the official image", async () => {
    await sql("node-1", "db", "CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY)", "-uroot -prootpw");
    await sql("node-3", "db", "INSERT INTO d.t VALUES (3)", "-uroot -prootpw");
    const query = "SET SESSION wsrep_sync_wait = 1; SELECT a FROM d.t";
    expect(await sql("node-2", "db", query, "-uroot -prootpw")).toBe("3");
    expect(await sh("node-2", "ls -A /g/data | grep -c my-healthcheck || true")).toBe("0");
  });

  it("has a killed node back by itself, by way of a full state transfer", async () => {
    await sh("node-2", "kill -9 $(docker inspect -f '{{.State.Pid}}' db)");
    await until("node-2", online, 120);
    expect(await sh("node-2", "docker logs db 2>&1 | grep -c 'SST received: '")).toBe("2");
    expect(await status("node-2", "wsrep_cluster_size")).toBe("3");
  });
});

describe("proxysql", () => {
  const ask = (port: number, query: string) =>
    sh(
      "node-3",
      `docker run --rm -i --network host mariadb:11.8 mariadb -h127.0.0.1 -P${port} -ulab -plabpw --skip-ssl -BN`,
      query,
    );
  const config = `datadir="/var/lib/proxysql"
admin_variables=
{
	admin_credentials="admin:admin;lab:labpw"
	mysql_ifaces="0.0.0.0:6032"
}
mysql_variables=
{
	interfaces="0.0.0.0:6033"
	monitor_username="lab-monitor"
}
`;
  const monitorUser =
    "SELECT variable_value FROM runtime_global_variables WHERE variable_name = 'mysql-monitor_username'";

  it("as a container reads the configuration that is mounted, and keeps its state in its volume", async () => {
    await sh("node-3", "mkdir -p /p && cat >/p/proxysql.cnf", config);
    const mounts = "-v /p/proxysql.cnf:/etc/proxysql.cnf -v /p/data:/var/lib/proxysql";
    await sh("node-3", `docker run -d --name px --network host ${mounts} proxysql/proxysql:2.7`);
    await until("node-3", "nc -z 127.0.0.1 6033", 30);
    expect(await ask(6032, monitorUser)).toBe("lab-monitor");
    expect(await sh("node-3", "ls /p/data")).toContain("proxysql.db");
    await sh("node-3", "docker stop px && docker rm px");
  });

  it("as a package comes from a signed repository, enabled and not started, and keeps an edited configuration", async () => {
    const site = "https://repo.proxysql.com/ProxySQL/proxysql-2.7.x";
    await sh(
      "node-3",
      `mkdir -p /etc/apt/keyrings && curl -fsS ${site}/repo_pub_key -o /etc/apt/keyrings/proxysql.asc`,
    );
    const source = `deb [signed-by=/etc/apt/keyrings/proxysql.asc] ${site}/trixie/ ./\n`;
    await sh("node-3", "cat >/etc/apt/sources.list.d/proxysql.list && apt-get update -q", source);
    await sh("node-3", "DEBIAN_FRONTEND=noninteractive apt-get install -y -q proxysql");
    expect(await sh("node-3", "systemctl is-enabled proxysql; systemctl is-active proxysql || true")).toBe(
      "enabled\ninactive",
    );
    expect(await sh("node-3", "stat -c '%U:%G %a' /etc/proxysql.cnf /var/lib/proxysql")).toBe(
      "root:proxysql 640\nproxysql:proxysql 755",
    );
    await sh("node-3", "cat >/etc/proxysql.cnf && systemctl start proxysql", config);
    expect(await ask(6032, monitorUser)).toBe("lab-monitor");
    expect(await sh("node-3", "systemctl show -P User -P Type proxysql; pidof proxysql | wc -w")).toMatch(/proxysql\n/);
    await sh("node-3", "apt-get install -y -q --reinstall proxysql");
    expect(await sh("node-3", "cat /etc/proxysql.cnf")).toBe(config.trim());
    await sh("node-3", "apt-get purge -y -q proxysql && test ! -e /etc/proxysql.cnf");
  });
});

describe("kb-hello", () => {
  it("is there in two versions, signed with a key of its own place", async () => {
    const site = `http://${GATEWAY}:5080/kb-hello`;
    await sh("node-2", `mkdir -p /etc/apt/keyrings && curl -fsS ${site}/key.asc -o /etc/apt/keyrings/kb-hello.asc`);
    const source = `deb [signed-by=/etc/apt/keyrings/kb-hello.asc] ${site}/ ./\n`;
    await sh("node-2", "cat >/etc/apt/sources.list.d/kb-hello.list && apt-get update -q", source);
    await sh("node-2", "apt-get install -y -q kb-hello=1.0");
    expect(await sh("node-2", "kb-hello")).toBe("hello from kb-hello 1.0");
    await sh("node-2", "apt-get install -y -q kb-hello");
    expect(await sh("node-2", "kb-hello")).toBe("hello from kb-hello 1.1");
  });

  it("is refused without its key", async () => {
    const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://${GATEWAY}:5080/kb-hello/ ./\n`;
    await sh("node-1", "cat >/etc/apt/sources.list.d/kb-hello.list", source);
    const ran = await exec(lab.name, "node-1", ["apt-get", "update", "-q"]);
    expect(ran.code).not.toBe(0);
    expect(ran.stdout + ran.stderr).toMatch(/is not signed|NO_PUBKEY|Missing key/);
    await sh("node-1", "rm /etc/apt/sources.list.d/kb-hello.list");
  });
});
