import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { wholeCluster } from "../../support/databases.ts";
import { ALL, changedPaths, changesOf, type Fleet, NODES, PROXIES } from "../../support/fleet.ts";
import { errorsOf, having, type Ran } from "../../support/kb.ts";
import { wrongPredictions } from "../../support/predictions.ts";
import { ProcessWatch } from "../../support/process-watch.ts";

export interface ConvergenceOptions {
  /** Kills kb this long after the first start of `site.ts`, which is then run again. */
  readonly killedAfterMs: number | undefined;
}

/** Questions and answers of a converged `galera.ts`, by host: one a phase. */
const ROUND_TRIPS = {
  // Two of `prepare`, mariadb.env, the evidence for the decision, files, the server.
  "maria-01": 6,
  "maria-02": 6,
  "maria-03": 6,
  // `prepare`, programs and files, the server and its tables.
  "proxysql-01": 3,
  "proxysql-02": 3,
  "lb-01": 0,
};

/** From bare hosts to a site that works, and the proof that nothing else happens to it. */
export function convergence(fleet: Fleet, { killedAfterMs }: ConvergenceOptions): void {
  describe("convergence", () => {
    let check: Ran;
    let watch: ProcessWatch | undefined;

    it("site.ts --check on bare hosts changes nothing", async () => {
      const [disks, daemons] = [fleet.disks(), await fleet.daemons()];
      check = await fleet.play("site.ts", "--check");
      expect(errorsOf(check)).toEqual([]);
      expect(check.exitCode).toBe(0);
      expect(changedPaths(disks, fleet.disks())).toEqual([]);
      expect(await fleet.daemons()).toEqual(daemons);
      expect(fleet.ownFiles()).toEqual([]);
    });

    it("what check cannot know is little, and has a reason", () => {
      const unknown = check.results.filter(({ outcome }) => outcome === "unknown");
      expect(unknown.filter(({ reason }) => reason === undefined)).toEqual([]);
      expect(unknown.length / check.results.length).toBeLessThan(0.05);
    });

    it(`site.ts${killedAfterMs === undefined ? "" : ", killed and run again,"} makes the changes that check told`, async () => {
      watch = new ProcessWatch();
      const killed = killedAfterMs === undefined ? undefined : await killedRun(fleet, killedAfterMs);
      const first = await fleet.play("site.ts");
      watch.stop();
      expect(errorsOf(first)).toEqual([]);
      expect(first.exitCode).toBe(0);
      fleet.converged = true;
      if (killed === undefined) expect(having(first, "changed")).toEqual(having(check, "changed"));
      else expectTogether(check, killed, first);
      expect(wrongPredictions(check, first)).toEqual([]);
      await wholeCluster(fleet);
    });

    it("no password was in any argument or environment, here, on a host or in a container", async () => {
      expect(watch?.size).toBeGreaterThan(200);
      expect(watch?.holding("--defaults-file=/dev/fd/4")).not.toEqual([]);
      const passwords = Object.entries(await fleet.credentials()).filter(([name]) => name.endsWith("_PASSWORD"));
      expect(passwords).toHaveLength(7);
      for (const [name, password] of passwords) expect([name, ...(watch?.holding(password) ?? [])]).toEqual([name]);
    });

    it("verify.ts is green", async () => {
      const ran = await fleet.play("verify.ts");
      const rows = ran.events.flatMap((event) => event.rows ?? []);
      expect(rows.filter(({ status }) => status !== "ok")).toEqual([]);
      expect(rows.length).toBeGreaterThan(40);
      expect(errorsOf(ran)).toEqual([]);
      expect(ran.exitCode).toBe(0);
    });

    it("site.ts again touches nothing", async () => {
      const [disks, serving] = [fleet.disks(), await fleet.serving()];
      const again = await fleet.play("site.ts");
      expect(errorsOf(again)).toEqual([]);
      expect(changesOf(again)).toEqual([]);
      expect(changedPaths(disks, fleet.disks())).toEqual([]);
      expect(await fleet.serving()).toEqual(serving);
      const serves = (host: string, name: string) =>
        serving.some((line) => line.startsWith(host) && line.includes(name));
      expect(NODES.filter((host) => !serves(host, "mariadbd"))).toEqual([]);
      expect(PROXIES.filter((host) => !serves(host, "proxysql "))).toEqual([]);
    });

    it("a converged galera.ts asks each host once a phase", async () => {
      const ran = await fleet.play("galera.ts");
      expect(changesOf(ran)).toEqual([]);
      const trips = ran.recap
        .map(({ host, roundTrips }) => [host, roundTrips])
        .filter(([host]) => host !== "controller");
      expect(Object.fromEntries(trips)).toEqual(ROUND_TRIPS);
    });
  });
}

async function killedRun(fleet: Fleet, afterMs: number): Promise<Ran> {
  const running = fleet.start("site.ts");
  await delay(afterMs);
  running.child.kill("SIGKILL");
  const killed = await running.done;
  expect(killed.recap).toEqual([]);
  // What the hosts were doing comes to an end, and frees their locks.
  await Promise.all(
    ALL.map((host) => fleet.sh(host, "flock -w 170 /run/lock/keybuzz.lock true", { timeoutMs: 180_000 })),
  );
  return killed;
}

/** What the hosts did after the killed run's last word, the next one found as wanted; nothing else was done. */
function expectTogether(check: Ran, killed: Ran, next: Ran): void {
  const predicted = having(check, "changed");
  const told = [...having(killed, "changed"), ...having(next, "changed")];
  expect(told.filter((change) => !predicted.includes(change))).toEqual([]);
  const settled = new Set([...told, ...having(next, "ok")]);
  expect(predicted.filter((change) => !settled.has(change))).toEqual([]);
}
