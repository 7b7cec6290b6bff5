import { parseTsvInventory, targetOf } from "@keybuzz/runner";
import { describe, expect, test } from "vitest";
import { mapping } from "./servers-tsv.ts";

const HEADER = "ENV IP_PUBLIQUE HOSTNAME IP_PRIVEE FQDN USER_SSH POOL ROLE SUBROLE DOCKER_STACK CORE NOTES";

const ROWS = [
  "prod 203.0.113.10 install-01 10.0.0.250 install-01.example.net root core orchestrator - no yes runs_kb",
  "prod 203.0.113.70 maria-01 10.0.0.170 maria-01.example.net root db db mariadb no yes galera",
  "prod 203.0.113.71 maria-02 10.0.0.171 maria-02.example.net  db db mariadb no yes galera",
  "prod 203.0.113.72 maria-03 10.0.0.172 maria-03.example.net admin db db mariadb no yes galera",
  "prod 203.0.113.73 proxysql-01 10.0.0.173 proxysql-01.example.net root db db_proxy proxysql no yes -",
  "prod 203.0.113.74 proxysql-02 10.0.0.174 proxysql-02.example.net - db db_proxy proxysql no yes -",
  "prod 203.0.113.20 lb-01 10.0.0.20 lb-01.example.net root lb lb internal-haproxy no yes entry_point",
  "prod 203.0.113.11 haproxy-01 10.0.0.11 haproxy-01.example.net root lb lb public-haproxy no yes -",
  "prod 203.0.113.20 db-master-01 10.0.0.120 db-master-01.example.net root db db postgres no yes patroni",
  "prod 203.0.113.21 db-slave-01 10.0.0.121 db-slave-01.example.net root db db postgres no yes patroni",
  "prod 203.0.113.30 redis-01 10.0.0.123 redis-01.example.net root db redis - no yes sentinel",
  "prod 203.0.113.40 queue-01 10.0.0.126 queue-01.example.net root mq queue rabbitmq no yes quorum",
  "prod 203.0.113.50 k3s-master-01 10.0.0.100 k3s-master-01.example.net root k3s k3s master no yes -",
  "prod 203.0.113.60 minio-01 10.0.0.134 minio-01.example.net root store storage minio no yes -",
  "dev 203.0.113.80 maria-dev-01 10.1.0.170 maria-dev-01.example.net root db db mariadb no no -",
];

function read(rows: readonly string[]) {
  return parseTsvInventory("servers.tsv", [HEADER, ...rows].join("\n").replaceAll(" ", "\t"), mapping);
}

describe("the company's server list", () => {
  const inventory = read(ROWS);

  test("production hosts are in the groups of their role and subrole; all others are left out", () => {
    expect(Object.fromEntries([...inventory.groups].map(([name, { hosts }]) => [name, hosts]))).toEqual({
      all: ["maria-01", "maria-02", "maria-03", "proxysql-01", "proxysql-02", "lb-01"],
      mariadb: ["maria-01", "maria-02", "maria-03"],
      proxysql: ["proxysql-01", "proxysql-02"],
      loadbalancer: ["lb-01"],
      ungrouped: [],
    });
  });

  test("hosts are reached at their private address, as the user of the list or root", () => {
    const targets = [...inventory.hosts.values()].map((host) => targetOf(host, {}));
    expect(targets.map(({ name, user, address }) => `${user}@${address} ${name}`)).toEqual([
      "root@10.0.0.170 maria-01",
      "root@10.0.0.171 maria-02",
      "admin@10.0.0.172 maria-03",
      "root@10.0.0.173 proxysql-01",
      "root@10.0.0.174 proxysql-02",
      "root@10.0.0.20 lb-01",
    ]);
  });

  test("a host knows the line that it was read from", () => {
    expect(inventory.hosts.get("maria-01")?.source).toEqual({ file: "servers.tsv", line: 3, column: 1 });
  });

  test("a host of ours without a private address is refused", () => {
    const row = "prod 203.0.113.75 maria-04 - maria-04.example.net root db db mariadb no yes -";
    expect(() => read([row])).toThrow("maria-04 has no IP_PRIVEE");
  });
});
