import { beforeEach, describe, expect, it } from "vitest";
import { adminSql, entrySql, rootSql, wholeCluster } from "../../support/databases.ts";
import { changedPaths, type Fleet } from "../../support/fleet.ts";
import { errorsOf, having } from "../../support/kb.ts";

interface Drift {
  readonly kind: string;
  readonly host: string;
  /** The one task that has to see and mend it. */
  readonly task: string;
  inject(fleet: Fleet): Promise<unknown>;
}

const DRIFTS: readonly Drift[] = [
  {
    kind: "a file edited",
    host: "maria-01",
    task: "blockinfile /etc/hosts",
    inject: (fleet) => fleet.sh("maria-01", "sed -i 's/^10.0.0.174 /10.0.0.99 /' /etc/hosts"),
  },
  {
    kind: "a mode changed",
    host: "maria-02",
    task: "file /opt/keybuzz/mariadb/mariadb.env",
    inject: (fleet) => fleet.sh("maria-02", "chmod 0644 /opt/keybuzz/mariadb/mariadb.env"),
  },
  {
    kind: "a package removed",
    host: "lb-01",
    task: "apt haproxy, socat",
    inject: (fleet) => fleet.sh("lb-01", "dpkg --remove socat"),
  },
  {
    kind: "a service stopped",
    host: "lb-01",
    task: "service haproxy",
    inject: (fleet) => fleet.sh("lb-01", "systemctl stop haproxy"),
  },
  {
    kind: "a firewall rule deleted",
    host: "maria-03",
    task: "ufw_rule allow in proto tcp from 10.0.0.174 to any port 3306",
    inject: (fleet) => fleet.sh("maria-03", "ufw delete allow from 10.0.0.174 to any port 3306 proto tcp"),
  },
  {
    kind: "a grant revoked",
    host: "maria-01",
    task: "mysql_user erpnext@10.0.0.%",
    inject: (fleet) => rootSql(fleet, "maria-02", "REVOKE INSERT ON erpnext.* FROM erpnext@'10.0.0.%'"),
  },
  {
    kind: "a ProxySQL row changed at run time only",
    host: "proxysql-01",
    task: "proxysql_users 127.0.0.1:6032",
    inject: (fleet) =>
      adminSql(
        fleet,
        "proxysql-01",
        `UPDATE mysql_users SET max_connections = 3 WHERE username = 'erpnext';
LOAD MYSQL USERS TO RUNTIME;
LOAD MYSQL USERS FROM DISK;`,
      ),
  },
  {
    kind: "a ProxySQL row changed on disk only",
    host: "proxysql-01",
    task: "proxysql_servers 127.0.0.1:6032",
    inject: (fleet) => adminSql(fleet, "proxysql-01", "UPDATE disk.mysql_servers SET weight = 7 WHERE weight = 500"),
  },
];

const CONTAINER: Drift = {
  kind: "a container's environment changed",
  host: "proxysql-02",
  task: "docker_container proxysql",
  inject: (fleet) =>
    fleet.sh(
      "proxysql-02",
      `docker rm -f proxysql >/dev/null && docker run -d --name proxysql --network host --restart unless-stopped \
-e TZ=Europe/Paris -v /opt/keybuzz/proxysql/conf/proxysql.cnf:/etc/proxysql.cnf:ro \
-v /opt/keybuzz/proxysql/data:/var/lib/proxysql proxysql/proxysql:2.7`,
    ),
};

const UNIT: Drift = {
  kind: "a unit's drop-in edited",
  host: "proxysql-02",
  task: "systemd_unit proxysql.service.d/keybuzz.conf",
  inject: (fleet) =>
    fleet.sh(
      "proxysql-02",
      "echo Environment=TZ=Europe/Paris >>/etc/systemd/system/proxysql.service.d/keybuzz.conf; systemctl daemon-reload",
    ),
};

/** One of each kind at once: check tells exactly them, the run mends exactly them, and then there is nothing more. */
export function drift(fleet: Fleet): void {
  const drifts = [...DRIFTS, fleet.runtime === "docker" ? CONTAINER : UNIT];
  const tasks = drifts.map(({ host, task }) => `${host}: ${task}`).sort();

  describe("drift", () => {
    beforeEach(({ skip }) => skip(!fleet.converged, "site.ts did not converge"));

    it(`is told by --check --diff: ${drifts.map(({ kind }) => kind).join(", ")}`, async () => {
      for (const one of drifts) await one.inject(fleet);
      const disks = fleet.disks();
      const check = await fleet.play("site.ts", "--check", "--diff");
      expect(errorsOf(check)).toEqual([]);
      expect(having(check, "changed")).toEqual(tasks);
      expect(changedPaths(disks, fleet.disks())).toEqual([]);
      const edited = check.results.find(
        ({ task, outcome }) => task === "blockinfile /etc/hosts" && outcome === "changed",
      );
      const [text] = edited?.changes ?? [];
      expect(text?.before).toContain("10.0.0.99 proxysql-02");
      expect(text?.after).toContain("10.0.0.174 proxysql-02");
    });

    it("is mended, and nothing else is touched", async () => {
      const ran = await fleet.play("site.ts");
      expect(errorsOf(ran)).toEqual([]);
      expect(ran.exitCode).toBe(0);
      expect(having(ran, "changed")).toEqual(tasks);
      expect(having(await fleet.play("site.ts"), "changed")).toEqual([]);
      await wholeCluster(fleet);
      expect(await entrySql(fleet, "proxysql-01", "SELECT 'through'")).toBe("through");
    });
  });
}
