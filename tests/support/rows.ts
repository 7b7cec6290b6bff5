import { expect } from "vitest";
import { rootSql } from "./databases.ts";
import { type Fleet, NODES } from "./fleet.ts";

/** Every row that was acknowledged is on every node, and the nodes' tables are equal; the rows are removed then. */
export async function expectRows(fleet: Fleet, rows: readonly string[]): Promise<void> {
  expect(rows.length).toBeGreaterThan(10);
  const read = "SET SESSION wsrep_sync_wait = 1; SELECT node FROM keybuzz_verify.proof WHERE node LIKE 'loop-%'";
  for (const host of NODES) {
    const found = new Set((await rootSql(fleet, host, read)).split("\n"));
    expect({ host, missing: rows.filter((row) => !found.has(row)) }).toEqual({ host, missing: [] });
  }
  await expectEqualTables(fleet);
  await rootSql(fleet, "maria-01", "DELETE FROM keybuzz_verify.proof WHERE node LIKE 'loop-%'");
}

/** The nodes have the same rows. */
export async function expectEqualTables(fleet: Fleet): Promise<void> {
  const sums = await Promise.all(
    NODES.map((host) =>
      rootSql(fleet, host, "SET SESSION wsrep_sync_wait = 1; CHECKSUM TABLE keybuzz_verify.proof EXTENDED"),
    ),
  );
  expect(new Set(sums).size).toBe(1);
}
