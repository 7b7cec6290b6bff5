import { setTimeout as delay } from "node:timers/promises";
import { killProcess } from "@keybuzz/lab";
import { beforeEach, describe, expect, it } from "vitest";
import { entrySql, rootSql, wholeCluster } from "../../support/databases.ts";
import { eventually } from "../../support/eventually.ts";
import { type Fleet, NODES } from "../../support/fleet.ts";
import { errorsOf } from "../../support/kb.ts";
import { expectRows } from "../../support/rows.ts";
import { longestGap, WriteLoop } from "../../support/write-loop.ts";

/** Longest time for which clients may not be able to write when a node dies. */
const MOST_GAP_MS = 10_000;
const CLIENT = "proxysql-01";

/** The entry point is worth its name: what it acknowledged is on every node, and a dead node stops nobody. */
export function failOver(fleet: Fleet): void {
  describe("the entry point", () => {
    beforeEach(({ skip }) => skip(!fleet.converged, "site.ts did not converge"));

    it("takes a row that all three nodes then have", async () => {
      await entrySql(fleet, CLIENT, "REPLACE INTO keybuzz_verify.proof (node, token) VALUES ('e2e', 'written once')");
      for (const host of NODES) {
        const read = "SET SESSION wsrep_sync_wait = 1; SELECT token FROM keybuzz_verify.proof WHERE node = 'e2e'";
        expect(await rootSql(fleet, host, read)).toBe("written once");
      }
    });

    it("goes on taking writes when the writer is killed, and loses none that it acknowledged", async () => {
      const uuid = await wholeCluster(fleet);
      const { MARIADB_VERIFY_PASSWORD = "" } = await fleet.credentials();
      const loop = new WriteLoop(fleet, CLIENT, MARIADB_VERIFY_PASSWORD);
      await delay(3_000);
      const writer = await entrySql(fleet, CLIENT, "SELECT @@wsrep_node_name");
      expect(await killProcess(fleet.lab, writer, "mariadbd")).toBe(1);
      const next = await eventually("writer after the killed one", MOST_GAP_MS * 2, async () => {
        const name = await entrySql(fleet, CLIENT, "SELECT @@wsrep_node_name");
        if (name === writer) throw new Error(`still ${name}`);
        return name;
      });
      expect(NODES).toContain(next);
      expect(await wholeCluster(fleet, 180_000)).toBe(uuid);
      const writes = await loop.stop();
      const gap = longestGap(writes);
      console.info(`${fleet.runtime}: ${writes.length} writes, longest gap ${gap} ms; errors: ${await loop.errors()}`);
      expect(gap).toBeLessThan(MOST_GAP_MS);
      await expectRows(
        fleet,
        writes.map(({ row }) => row),
      );
    });

    it("is as it was after the node came back: no run has anything to do", async () => {
      const ran = await fleet.play("galera.ts");
      expect(errorsOf(ran)).toEqual([]);
      expect(ran.recap.filter(({ changed }) => changed > 0)).toEqual([]);
    });
  });
}
