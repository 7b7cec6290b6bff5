import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { down, exec, up } from "@keybuzz/lab";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorsOf, having, kb, play, type Ran } from "../support/kb.ts";

const LAB = "modmysql";
const PLAYBOOK = "tests/fixtures/modules-mysql.ts";
const DB = "db-01";
const PROXY = "px-01";
let folder: string;
let inventory: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-modmysql-"));
  inventory = join(folder, "hosts.yml");
  const group = (host: string, address: string) => ({ hosts: { [host]: { ansible_host: address } } });
  const children = { mariadb: group(DB, "10.7.3.11"), proxysql: group(PROXY, "10.7.3.12") };
  writeFileSync(inventory, JSON.stringify({ all: { children } }));
  await down(LAB);
  await up(
    {
      name: LAB,
      hosts: [
        { name: DB, address: "10.7.3.11" },
        { name: PROXY, address: "10.7.3.12" },
      ],
    },
    { onStep: () => {} },
  );
});
afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});

async function on(host: string, script: string, input = ""): Promise<string> {
  const { code, stdout, stderr } = await exec(LAB, host, ["sh", "-c", script], { timeoutMs: 300_000, input });
  if (code !== 0) throw new Error(`${host}: ${script}: exit ${code}: ${stderr}`);
  return stdout;
}

async function run(stage: string, ...flags: readonly string[]): Promise<Ran> {
  return play(LAB, [PLAYBOOK, "-i", inventory, "-e", `stage=${stage}`, ...flags]);
}

/** Check, apply, apply: the first two tell the same changes, the third none, in one round trip. */
async function converges(stage: string, ...flags: readonly string[]): Promise<readonly string[]> {
  const check = await run(stage, "--check", ...flags);
  expect(errorsOf(check)).toEqual([]);
  const first = await run(stage, ...flags);
  expect(errorsOf(first)).toEqual([]);
  expect(having(check, "changed")).toEqual(having(first, "changed"));
  const again = await run(stage, ...flags);
  expect(errorsOf(again)).toEqual([]);
  expect(having(again, "changed")).toEqual([]);
  expect(Math.max(...again.recap.map(({ roundTrips }) => roundTrips))).toBe(1);
  return having(first, "changed");
}

const INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q";

describe("a server that is not there", () => {
  it("is told as such", async () => {
    await on(DB, `${INSTALL} mariadb-client`);
    const [error] = errorsOf(await run("wide"));
    expect(error?.message).toMatch(/^mariadbd does not answer: ERROR 2002/);
  });
});

const BY_HAND: readonly (readonly [string, string])[] = [
  ["ALTER USER wide@'10.7.%' IDENTIFIED BY 'by hand'", "mysql_user wide@10.7.%"],
  ["ALTER USER wide@'10.7.%' REQUIRE SSL", "mysql_user wide@10.7.%"],
  ["GRANT INSERT ON my_db.* TO wide@'10.7.%'", "mysql_user wide@10.7.%"],
  ["GRANT SELECT ON my_db.* TO wide@'10.7.%' WITH GRANT OPTION", "mysql_user wide@10.7.%"],
  ["REVOKE PROCESS ON *.* FROM wide@'10.7.%'", "mysql_user wide@10.7.%"],
  [
    "ALTER USER sock@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('x') OR unix_socket",
    "mysql_user sock@localhost",
  ],
  ["ALTER DATABASE my_db CHARACTER SET utf8mb4", "mysql_db my_db"],
];

describe.each([
  ["MariaDB on the host", ""],
  ["MariaDB in a container", "mariadb"],
])("%s", (_where, container) => {
  const flags = container === "" ? [] : ["-e", `container=${container}`];
  const client = container === "" ? "mariadb" : 'docker exec -i mariadb mariadb -p"$(cat /root/pw)"';
  const grants = (account: string): Promise<string> => on(DB, `${client} -NBe "SHOW GRANTS FOR ${account}"`);

  beforeAll(async () => {
    if (container === "") {
      await on(DB, `${INSTALL} mariadb-server`);
      return;
    }
    await on(DB, `${INSTALL} docker.io; systemctl stop mariadb; docker pull -q mariadb:11.8`);
    await on(DB, "umask 077; cat >/root/pw", "integration'secret\\\"0");
    await on(
      DB,
      'docker run -d --name mariadb -e MARIADB_ROOT_PASSWORD="$(cat /root/pw)" mariadb:11.8 && ' +
        'for i in $(seq 120); do docker exec mariadb mariadb -h127.0.0.1 -p"$(cat /root/pw)" -e "DO 1" && exit; sleep 1; done; exit 1',
    );
    await on(DB, `${client} -e "CREATE USER mysql@localhost IDENTIFIED VIA unix_socket"`);
  });

  it("gets databases, accounts, tables and variables, once", async () => {
    const changed = await converges("wide", ...flags);
    expect(changed).toEqual(expect.arrayContaining([`${DB}: mysql_user wide@10.7.%`, `${DB}: mysql_db a.b\`c`]));
    expect(await grants("wide@'10.7.%'")).toContain("ON `my\\\\_db`.*");
  });

  it("loses privileges that are not declared, and keeps what is left open", async () => {
    const changed = await converges("narrow", ...flags);
    expect(changed).toEqual([
      `${DB}: mysql_db my_db`,
      `${DB}: mysql_user sock@localhost`,
      `${DB}: mysql_user wide@10.7.%`,
    ]);
    const lines = (await grants("wide@'10.7.%'")).trim().split("\n");
    expect(lines.map((line) => line.replace(/ TO .*/, "")).sort()).toEqual([
      "GRANT ALL PRIVILEGES ON `a.b``c`.*",
      "GRANT EXECUTE ON PROCEDURE `my_db`.`p`",
      "GRANT PROCESS ON *.*",
      "GRANT SELECT (`a`, `b`) ON `my_db`.`t`",
      "GRANT SELECT ON `my\\\\_db`.*",
    ]);
    expect(lines[0]).toContain("WITH MAX_STATEMENT_TIME 1.500000");
  });

  // What is changed by hand looks the same from a container.
  it.each(container === "" ? BY_HAND : BY_HAND.slice(0, 1))("has this taken back: %s", async (statement, task) => {
    await on(DB, `${client} -e "${statement}"`);
    const ran = await run("narrow", ...flags);
    expect(errorsOf(ran)).toEqual([]);
    expect(having(ran, "changed")).toEqual([`${DB}: ${task}`]);
    expect(having(await run("narrow", ...flags), "changed")).toEqual([]);
  });

  it("takes any text as a literal and as a password", async () => {
    const changed = await converges("texts", ...flags);
    expect(changed.filter((task) => !task.includes("mysql_user text"))).toEqual([]);
    expect(changed.length).toBeGreaterThan(15);
    const logins = await run("logins", ...flags);
    expect(errorsOf(logins)).toEqual([]);
    expect(having(logins, "ok")).toHaveLength(changed.length);
  });

  it("loses what is to be absent", async () => {
    expect(await converges("gone", ...flags)).toHaveLength(4);
  });

  it("shows no secret in its output or in the logs", async () => {
    const shown = await kb(LAB, ["play", PLAYBOOK, "-i", inventory, "-e", "stage=wide", ...flags, "--diff", "-v"]);
    expect(shown.exitCode).toBe(0);
    const log = await on(DB, "journalctl --no-pager -q");
    for (const text of [shown.stdout, shown.stderr, log])
      expect(text).not.toMatch(/integration.?secret|\*[0-9A-F]{40}/);
  });
});

describe("ProxySQL", () => {
  const admin = (statements: string): Promise<string> =>
    on(PROXY, "mariadb -h127.0.0.1 -P6032 -uadmin -p$(cat /root/pw) --skip-ssl-verify-server-cert -NB", statements);

  beforeAll(async () => {
    const url = "https://repo.proxysql.com/ProxySQL/proxysql-2.7.x";
    await on(
      PROXY,
      `${INSTALL} mariadb-client curl && curl -fsS ${url}/repo_pub_key.gpg -o /usr/share/keyrings/proxysql.gpg &&
echo 'deb [signed-by=/usr/share/keyrings/proxysql.gpg] ${url}/trixie/ ./' >/etc/apt/sources.list.d/proxysql.list &&
apt-get update -q && ${INSTALL} proxysql && umask 077 && echo integration-secret-4 >/root/pw &&
sed -i 's/admin_credentials=.*/admin_credentials="admin:integration-secret-4"/' /etc/proxysql.cnf && systemctl start proxysql`,
    );
  });

  it("gets its four families, once, and tells what needs a restart", async () => {
    expect(await converges("proxysql")).toHaveLength(4);
    expect(await admin("SELECT COUNT(*) FROM disk.mysql_users; SELECT COUNT(*) FROM runtime_mysql_query_rules")).toBe(
      "2\n1\n",
    );
    const variables = (await run("proxysql", "-v")).results.find(({ task }) => task.startsWith("proxysql_variables"));
    expect(variables?.outcome).toBe("ok");
    await on(PROXY, "systemctl restart proxysql");
    expect(await admin("SELECT variable_value FROM runtime_global_variables WHERE variable_name='mysql-threads'")).toBe(
      "3\n",
    );
    expect(having(await run("proxysql"), "changed")).toEqual([]);
  });

  it.each([
    ["UPDATE mysql_servers SET weight=7; LOAD MYSQL SERVERS TO RUNTIME", "servers"],
    ["UPDATE mysql_servers SET weight=7", "servers"],
    ["DELETE FROM mysql_galera_hostgroups; SAVE MYSQL SERVERS TO DISK; LOAD MYSQL SERVERS FROM DISK", "servers"],
    ["INSERT INTO mysql_servers (hostgroup_id, hostname) VALUES (1, '10.7.3.99')", "servers"],
    ["SAVE MYSQL USERS TO MEMORY; SAVE MYSQL USERS TO DISK", "users"],
    ["UPDATE mysql_users SET password='by hand'; LOAD MYSQL USERS TO RUNTIME", "users"],
    ["DELETE FROM mysql_query_rules; SAVE MYSQL QUERY RULES TO DISK", "query_rules"],
    ["SET mysql-server_version='8.0.11'; LOAD MYSQL VARIABLES TO RUNTIME; LOAD MYSQL VARIABLES FROM DISK", "variables"],
    ["SET mysql-monitor_password='by hand'; SAVE MYSQL VARIABLES TO DISK", "variables"],
  ])("has this taken back: %s", async (statements, family) => {
    await admin(statements);
    expect(await converges("proxysql")).toEqual([`${PROXY}: proxysql_${family} 127.0.0.1:6032`]);
  });

  it("takes any text", async () => {
    expect(await converges("proxysql-texts")).toHaveLength(1);
  });
});
