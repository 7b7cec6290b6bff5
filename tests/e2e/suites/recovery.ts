import { powerOff, powerOn } from "@keybuzz/lab";
import { beforeEach, describe, expect, it } from "vitest";
import { rootSql, wholeCluster } from "../../support/databases.ts";
import { eventually } from "../../support/eventually.ts";
import { ALL, type Fleet, NODES } from "../../support/fleet.ts";
import { errorsOf, having, type Ran } from "../../support/kb.ts";
import { expectEqualTables, expectRows } from "../../support/rows.ts";
import { WriteLoop } from "../../support/write-loop.ts";
import { said } from "./incidents.ts";

const DATA = "/opt/keybuzz/mariadb/data";
/** Long enough for a view that does not last to show: a member that is alone gives its group up within seconds. */
const HOLD = ["-e", "hold_seconds=5"];

/** `recover.ts` in the night when all nodes are down. Where `whole` is false, only what differs between runtimes. */
export function recovery(fleet: Fleet, { whole }: { readonly whole: boolean }): void {
  describe("recovery", () => {
    beforeEach(({ skip }) => skip(!fleet.converged, "site.ts did not converge"));

    it("all killed at once with their last view: they restore it, and nobody is bootstrapped", async () => {
      const uuid = await wholeCluster(fleet, 60_000);
      for (const host of NODES) await crash(fleet, host, { view: true });
      const ran = await fleet.play("recover.ts", ...HOLD);
      expect(errorsOf(ran)).toEqual([]);
      expect(titles(ran)).toContain("they restore it by themselves");
      expect(changedTasks(ran)).not.toContain("request to bootstrap, once");
      expect(await wholeCluster(fleet, 30_000)).toBe(uuid);
    });

    it("killed with the views gone, one behind and switched off: refused; fenced, killed at each step: recovered", async () => {
      const uuid = await wholeCluster(fleet, 30_000);
      const { MARIADB_VERIFY_PASSWORD = "" } = await fleet.credentials();
      const loop = new WriteLoop(fleet, "proxysql-01", MARIADB_VERIFY_PASSWORD);
      const written = (): Promise<string> => rootSql(fleet, "maria-01", "SELECT COUNT(*) FROM keybuzz_verify.proof");
      const grows = (): Promise<void> => growsBeyond(written);
      await grows();
      await powerOff(fleet.lab, "maria-03");
      await grows();
      await Promise.all(["maria-01", "maria-02"].map((host) => crash(fleet, host, { view: false })));
      const rows = (await loop.stop()).map(({ row }) => row);

      const refused = await fleet.play("recover.ts", ...HOLD);
      expect(refused.exitCode).not.toBe(0);
      expect(said(refused)).toContain("maria-03 cannot be asked: it may be running");
      expect(said(refused)).toContain("-e fenced=maria-03");
      expect(having(refused, "changed")).toEqual([]);

      const fenced = ["-e", "fenced=maria-03", ...HOLD];
      if (whole) {
        await killedAt(fleet, fenced, "measure of the place that InnoDB knows");
        await killedAt(fleet, fenced, "request to bootstrap, once");
      }
      const ran = await fleet.play("recover.ts", ...fenced);
      expect(errorsOf(ran).map(({ host }) => host)).toEqual(["maria-03"]);
      await powerOn(fleet.lab, "maria-03");
      expect(await wholeCluster(fleet, 180_000)).toBe(uuid);
      await expectRows(fleet, rows);
      if (whole) await expectNothingToDo(fleet);
    });

    if (!whole) return;

    it("an emptied grastate.dat on the one that has the most, and another history: refused, then exactly that given up", async () => {
      const uuid = await wholeCluster(fleet, 30_000);
      for (const host of ["maria-03", "maria-02"]) await fleet.sh(host, "docker stop --time 60 mariadb");
      await rootSql(
        fleet,
        "maria-01",
        "REPLACE INTO keybuzz_verify.proof (node, token) VALUES ('recovery', 'only here')",
      );
      await crash(fleet, "maria-01", { view: false });
      await fleet.sh("maria-01", `: >${DATA}/grastate.dat`);
      await fleet.sh(
        "maria-03",
        `sed -i 's/^uuid:.*/uuid:    9fd2e046-e611-11f1-b4ed-72528749d27a/' ${DATA}/grastate.dat`,
      );
      const place = await fleet.sh("maria-03", `sed -n 's/^seqno: *//p' ${DATA}/grastate.dat`);

      const refused = await fleet.play("recover.ts", ...HOLD);
      expect(said(refused)).toContain("data of 2 different histories");
      expect(said(refused)).toContain(`-e accept_loss=maria-03:${place}`);
      expect(changedTasks(refused)).toEqual(["measure of the place that InnoDB knows"]);
      const wrong = await fleet.play("recover.ts", "-e", `accept_loss=maria-03:${Number(place) + 1}`, ...HOLD);
      expect(having(wrong, "changed")).toEqual([]);

      const ran = await fleet.play("recover.ts", "-e", `accept_loss=maria-03:${place}`, ...HOLD);
      expect(errorsOf(ran)).toEqual([]);
      expect(titles(ran)).toContain("maria-01 has all that any other has");
      expect(await wholeCluster(fleet, 30_000)).toBe(uuid);
      expect(await rootSql(fleet, "maria-03", "SELECT token FROM keybuzz_verify.proof WHERE node = 'recovery'")).toBe(
        "only here",
      );
      expect(await fleet.sh("maria-03", `ls -d ${DATA}/data.moved-aside-*-diverged/ibdata1`)).toContain(
        "-diverged/ibdata1",
      );
      await expectEqualTables(fleet);
      await expectNothingToDo(fleet);
      await fleet.sh("maria-03", `rm -r ${DATA}/data.moved-aside-*-diverged`);
    });
  });
}

/** Ends a node's server as a power cut does; nothing starts it again. */
async function crash(fleet: Fleet, host: string, { view }: { readonly view: boolean }): Promise<void> {
  const kill =
    fleet.runtime === "docker"
      ? "docker kill mariadb >/dev/null"
      : "systemctl kill --signal=KILL mariadb; systemctl stop mariadb; systemctl reset-failed mariadb 2>/dev/null || :";
  await fleet.sh(host, `${kill}${view ? "" : `; rm -f ${DATA}/gvwstate.dat`}`);
}

async function growsBeyond(count: () => Promise<string>): Promise<void> {
  const before = Number(await count());
  await eventually("ten more rows", 30_000, async () => {
    const now = Number(await count());
    if (now < before + 10) throw new Error(`${now} rows, ${before} before`);
  });
}

/** Kills a run of recover.ts once it told of a task, and waits until the hosts are free again. */
async function killedAt(fleet: Fleet, flags: readonly string[], task: string): Promise<void> {
  const running = fleet.start("recover.ts", ...flags);
  await running.told(`"task":"${task}"`);
  running.child.kill("SIGKILL");
  await running.done;
  const reached = ALL.filter((host) => host !== "maria-03");
  await Promise.all(
    reached.map((host) => fleet.sh(host, "flock -w 100 /run/lock/keybuzz.lock true", { timeoutMs: 120_000 })),
  );
}

async function expectNothingToDo(fleet: Fleet): Promise<void> {
  const again = await fleet.play("galera.ts");
  expect(errorsOf(again)).toEqual([]);
  // The kernel's settings are the whole machine's: what another lab sets is no change of this one.
  expect(having(again, "changed").filter((change) => !change.includes(": sysctl "))).toEqual([]);
}

function titles(ran: Ran): string {
  return ran.events.map(({ title = "" }) => title).join("\n");
}

function changedTasks(ran: Ran): readonly string[] {
  return [...new Set(ran.results.filter(({ outcome }) => outcome === "changed").map(({ task }) => task))].map((task) =>
    task.replace(/^command /, ""),
  );
}
