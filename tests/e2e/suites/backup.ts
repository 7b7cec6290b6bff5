import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rootSql } from "../../support/databases.ts";
import type { Fleet } from "../../support/fleet.ts";
import { errorsOf, having, type Ran } from "../../support/kb.ts";

const STORE = "lb-01";
const FOLDER = "/srv/keybuzz-backup/*/full";

/** Backups on their way to a host of the inventory, and drills of them. */
export function backup(fleet: Fleet): void {
  describe("backups", () => {
    let inventory: string;
    const play = (name: string, ...flags: readonly string[]): Promise<Ran> =>
      fleet.play(name, "-i", inventory, ...flags);
    const onStore = (script: string): Promise<string> => fleet.sh(STORE, script);
    const names = (): Promise<string> => onStore(`ls ${FOLDER} | grep '\\.json$'`);

    beforeEach(({ skip }) => skip(!fleet.converged, "site.ts did not converge"));
    beforeAll(() => {
      inventory = join(fleet.folder, "with-backup.yml");
      const groups = readFileSync(fleet.inventory, "utf8");
      writeFileSync(inventory, `${groups.trimEnd()}\n    backup:\n      hosts:\n        ${STORE}:\n`);
    });

    it("are scheduled on all nodes, and the first is taken at once by one of them, sealed", async () => {
      expect(errorsOf(await play("backup.ts"))).toEqual([]);
      expect(await names()).toMatch(/^\S+Z_maria-03\.json$/);
      expect(await onStore(`head -c 21 ${FOLDER}/*.mbstream.zst.age`)).toBe("age-encryption.org/v1");
    });

    it("are not taken again while the newest is young", async () => {
      expect(having(await play("backup.ts"), "changed")).toEqual([]);
    });

    it("are taken while clients write, and the node is a full member again", async () => {
      const table = `CREATE DATABASE drill;
CREATE TABLE drill.sums (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT, price DECIMAL(9,2), raw VARBINARY(16));
USE drill; INSERT INTO sums (note, price, raw) SELECT seq, seq / 7, IF(seq % 3, UNHEX(MD5(seq)), NULL) FROM seq_1_to_2000`;
      await rootSql(fleet, "maria-01", table);
      const row = (n: number): string => `INSERT INTO drill.sums (note) VALUES ('${n}'); DO SLEEP(0.02);`;
      let taken = false;
      const writing = (async () => {
        for (let n = 0; !taken; n += 50) {
          const rows = Array.from({ length: 50 }, (_, index) => row(n + index));
          await rootSql(fleet, "maria-01", rows.join("\n"));
        }
      })();
      const ran = await play("backup.ts", "-e", "max_age_hours=0");
      taken = true;
      await writing;
      expect(errorsOf(ran)).toEqual([]);
      expect(await rootSql(fleet, "maria-03", "SELECT @@wsrep_desync")).toBe("0");
    });

    it("are proved by a drill, table by table", async () => {
      const ran = await play("backup-drill.ts");
      expect(errorsOf(ran)).toEqual([]);
      expect(await onStore(`cat ${FOLDER}/*.tables`)).toMatch(/^drill\.sums\t\d+\t\d+$/m);
    });

    it("fail their drill where a row is not what it was", async () => {
      await onStore(`sed -i 's/^\\(drill.sums\\t[0-9]*\\t\\)/\\19/' ${FOLDER}/*.tables`);
      const ran = await play("backup-drill.ts");
      expect(ran.exitCode).toBe(1);
      expect(ran.stdout).toContain("tables differ from what they were");
    });

    it("fail their drill where the store changed a byte", async () => {
      await onStore(
        `printf x | dd of="$(ls ${FOLDER}/*.mbstream.zst.age | tail -n 1)" bs=1 seek=9000 conv=notrunc 2>/dev/null`,
      );
      const ran = await play("backup-drill.ts");
      expect(ran.exitCode).toBe(1);
      expect(ran.stdout).toContain("cannot be unpacked");
      expect(await fleet.sh("maria-03", "ls /opt/keybuzz/drill")).toBe("");
    });

    it("go when they are old, and the newest stay", async () => {
      await onStore(`cd ${FOLDER} && for f in *; do for n in 1 2 3 4; do
cp -p "$f" "2020-01-0$n"T00-00-00Z_maria-03."\${f#*.}"; done; done`);
      expect(errorsOf(await play("backup.ts", "-e", "max_age_hours=0"))).toEqual([]);
      // Three stay however old they are: here the three of today.
      const left = (await names()).split("\n");
      expect(left).toHaveLength(3);
      expect(left.filter((name) => name.startsWith("2020"))).toEqual([]);
    });
  });
}
