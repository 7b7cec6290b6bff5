import { beforeEach, describe, expect, it } from "vitest";
import { rootSql, wholeCluster } from "../../support/databases.ts";
import { type Fleet, NODES } from "../../support/fleet.ts";
import { errorsOf, having, type Ran } from "../../support/kb.ts";
import { expectRows } from "../../support/rows.ts";
import { longestGap, WriteLoop } from "../../support/write-loop.ts";
import { inventoryWith } from "./incidents.ts";

/** What the entry point may stand still for while a node is restarted; the goal is below a second. */
const MOST_GAP_MS = 5_000;

/** `roll.ts` while clients write. Where `whole` is false, only what differs between runtimes. */
export function rolling(fleet: Fleet, { whole }: { readonly whole: boolean }): void {
  describe("rolling", () => {
    beforeEach(({ skip }) => skip(!fleet.converged, "site.ts did not converge"));

    it("restarts all nodes, the writer last, while clients write, and loses no write", async () => {
      const uuid = await wholeCluster(fleet, 30_000);
      const { MARIADB_VERIFY_PASSWORD = "" } = await fleet.credentials();
      const loop = new WriteLoop(fleet, "proxysql-01", MARIADB_VERIFY_PASSWORD);
      const before = await uptimes(fleet);
      const ran = await fleet.play("roll.ts", "-e", "action=restart");
      const writes = await loop.stop();
      expect(errorsOf(ran)).toEqual([]);
      expect(restarted(ran)).toEqual(["maria-03", "maria-02", "maria-01"]);
      const after = await uptimes(fleet);
      for (const host of NODES) expect([host, (after.get(host) ?? 0) > (before.get(host) ?? 0)]).toEqual([host, true]);
      const gap = longestGap(writes);
      console.info(
        `${fleet.runtime}: ${writes.length} writes while three nodes were restarted, longest gap ${gap} ms; errors: ${await loop.errors()}`,
      );
      expect(gap).toBeLessThan(MOST_GAP_MS);
      expect(await wholeCluster(fleet, 30_000)).toBe(uuid);
      await expectRows(
        fleet,
        writes.map(({ row }) => row),
      );
    });

    if (!whole) return;

    it("sets what a running server takes, without a restart", async () => {
      const started = await fleet.containers();
      const ran = await fleet.play(
        "roll.ts",
        "-e",
        "action=config",
        "-i",
        inventoryWith(fleet, "mariadb_max_connections: 900"),
      );
      expect(errorsOf(ran)).toEqual([]);
      for (const host of NODES) expect(await rootSql(fleet, host, "SELECT @@max_connections")).toBe("900");
      // What galera.ts finds is the same change, the other way.
      const back = await fleet.play("galera.ts");
      expect(errorsOf(back)).toEqual([]);
      for (const host of NODES) expect(await rootSql(fleet, host, "SELECT @@max_connections")).toBe("1050");
      expect(await fleet.containers()).toEqual(started);
      expect(having(await fleet.play("galera.ts"), "changed")).toEqual([]);
    });
  });
}

/** When each node's server was started, in seconds of its clock. */
async function uptimes(fleet: Fleet): Promise<ReadonlyMap<string, number>> {
  const query =
    "SELECT ROUND(UNIX_TIMESTAMP() - VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'";
  return new Map(
    await Promise.all(NODES.map(async (host) => [host, Number(await rootSql(fleet, host, query)) - 2] as const)),
  );
}

/** The hosts whose server was restarted, in the order in which that was told. */
function restarted(ran: Ran): readonly string[] {
  return ran.results
    .filter(({ outcome, module }) => outcome === "changed" && (module === "docker_container" || module === "service"))
    .map(({ host }) => host);
}
