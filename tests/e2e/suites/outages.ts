import { CONTROLLER, heal, partition } from "@keybuzz/lab";
import { beforeEach, describe, expect, it } from "vitest";
import { entrySql, wholeCluster } from "../../support/databases.ts";
import { eventually } from "../../support/eventually.ts";
import { ENTRY, type Fleet, NODES } from "../../support/fleet.ts";
import { errorsOf, having } from "../../support/kb.ts";
import { said } from "./incidents.ts";

/** Hosts that cannot be reached, and the night when all nodes are down. */
export function outages(fleet: Fleet): void {
  describe("outages", () => {
    beforeEach(({ skip }) => skip(!fleet.converged, "site.ts did not converge"));

    it("an unreachable proxy does not keep the others from being made ready", async () => {
      await partition(fleet.lab, CONTROLLER, "proxysql-02");
      const ran = await fleet.play("prepare.ts");
      await heal(fleet.lab);
      expect(ran.exitCode).toBe(4);
      expect(ran.recap.filter(({ unreachable }) => unreachable).map(({ host }) => host)).toEqual(["proxysql-02"]);
      const worked = ran.recap.filter(({ ok, failed }) => ok > 0 && failed === 0).map(({ host }) => host);
      expect(worked).toEqual(expect.arrayContaining([...NODES, "proxysql-01", ENTRY]));
    });

    it("an unreachable member is told, and no other is started or stopped because of it", async () => {
      const containers = await fleet.containers();
      await partition(fleet.lab, CONTROLLER, "maria-03");
      const ran = await fleet.play("galera.ts");
      await heal(fleet.lab);
      expect(ran.exitCode).not.toBe(0);
      expect(said(ran)).toContain("the cluster is live without maria-03");
      expect(having(ran, "changed")).toEqual([]);
      expect(await fleet.containers()).toEqual(containers);
    });

    describe("all nodes stopped", () => {
      let uuid = "";

      it("HAProxy takes both proxies out although their port is open", async () => {
        uuid = await wholeCluster(fleet);
        for (const host of [...NODES].reverse()) await fleet.sh(host, "docker stop mariadb");
        await eventually("proxy that is marked down", 20_000, async () => {
          expect(await proxyStates(fleet)).toEqual(["proxysql-01 DOWN", "proxysql-02 DOWN"]);
        });
        await fleet.sh(ENTRY, "timeout 2 bash -c ': </dev/tcp/10.0.0.173/3306 && : </dev/tcp/10.0.0.174/3306'");
      });

      it("verify.ts says that the proxies reach no node, and what clients then see", async () => {
        const ran = await fleet.play("verify.ts");
        expect(ran.exitCode).toBe(1);
        expect(said(ran)).toMatch(
          /one writer \(proxysql-01\): found none; this proxy reaches no node that takes writes/,
        );
        expect(said(ran)).toMatch(/ERROR 9001 .*ERROR 2027 \(Malformed packet\): look at the nodes, not at the client/);
        expect(said(ran)).toMatch(/server answers \(maria-02\)/);
      });

      it("galera.ts bootstraps nobody while a member cannot be asked", async () => {
        await partition(fleet.lab, CONTROLLER, "maria-01");
        const ran = await fleet.play("galera.ts");
        await heal(fleet.lab);
        expect(said(ran)).toContain("no live member was found, and maria-01 cannot be asked: it may be running");
        expect(having(ran, "changed")).toEqual([]);
        for (const host of NODES) {
          expect(await fleet.sh(host, "docker inspect -f '{{.State.Running}}' mariadb")).toBe("false");
        }
      });

      it("galera.ts then brings back the same cluster, from the member that was the last to leave", async () => {
        const ran = await fleet.play("galera.ts");
        expect(errorsOf(ran)).toEqual([]);
        expect(ran.events.map(({ title = "" }) => title).join()).toContain("maria-01 was the last to leave");
        expect(await wholeCluster(fleet)).toBe(uuid);
        await eventually("proxy that is up", 20_000, async () => {
          expect(await proxyStates(fleet)).toEqual(["proxysql-01 UP", "proxysql-02 UP"]);
        });
        expect(await entrySql(fleet, "proxysql-02", "SELECT 'through'")).toBe("through");
        expect((await fleet.play("verify.ts")).exitCode).toBe(0);
      });
    });
  });
}

/** Each proxy, and what HAProxy thinks of it. */
async function proxyStates(fleet: Fleet): Promise<readonly string[]> {
  const script = "printf 'show stat proxysql 4 -1\\n' | socat - UNIX-CONNECT:/run/haproxy/admin.sock | cut -d, -f2,18";
  const lines = (await fleet.sh(ENTRY, script)).split("\n").filter((line) => line.startsWith("proxysql-"));
  return lines.map((line) => line.replace(/,(\w+).*$/, " $1"));
}
