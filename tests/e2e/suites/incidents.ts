import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { powerOff, powerOn } from "@keybuzz/lab";
import { beforeEach, describe, expect, it } from "vitest";
import { entrySql, rootSql, wholeCluster } from "../../support/databases.ts";
import { type Fleet, NODES, PROXIES } from "../../support/fleet.ts";
import { errorsOf, having, type Ran } from "../../support/kb.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

/**
 * What bit the operators of the scripts that this replaces, each as a test that those scripts would fail. Those about an
 * outage of all nodes are in outages.ts.
 */
export function incidents(fleet: Fleet): void {
  describe("incidents of the scripts before", () => {
    beforeEach(({ skip }) => skip(!fleet.converged, "site.ts did not converge"));

    it("the node that was bootstrapped is rebooted: it joins its cluster again", async () => {
      const uuid = await wholeCluster(fleet);
      const others = await containersOf(fleet, "maria-02", "maria-03");
      await powerOff(fleet.lab, "maria-01");
      await powerOn(fleet.lab, "maria-01");
      expect(await wholeCluster(fleet, 180_000)).toBe(uuid);
      expect(await containersOf(fleet, "maria-02", "maria-03")).toEqual(others);
    });

    it("a second run stops no container and makes none anew", async () => {
      const containers = await fleet.containers();
      const ran = await fleet.play("galera.ts");
      expect(errorsOf(ran)).toEqual([]);
      expect(having(ran, "changed")).toEqual([]);
      expect(await fleet.containers()).toEqual(containers);
    });

    it("an image tag that does not exist stops the run before any container", async () => {
      const ran = await expectUntouched(fleet, "mariadb_image: mariadb:99.9");
      expect(said(ran)).toContain("manifest for mariadb:99.9 not found");
    });

    it("an option that the server does not know never replaces the options in use", async () => {
      const options = "sha256sum /opt/keybuzz/mariadb/conf/zz-keybuzz.cnf; ls /opt/keybuzz/mariadb/conf";
      const before = await Promise.all(NODES.map((host) => fleet.sh(host, options)));
      const ran = await expectUntouched(fleet, "mariadb_settings: { wsrep_replicate_myisam: 1 }");
      expect(said(ran)).toContain("unknown variable 'wsrep_replicate_myisam=1'");
      expect(await Promise.all(NODES.map((host) => fleet.sh(host, options)))).toEqual(before);
    });

    it("a stray option file of another product is named, and nothing is started with it", async () => {
      const path = "/opt/keybuzz/mariadb/conf/50-percona.cnf";
      await fleet.sh("maria-02", `printf '[mysqld]\\npxc_strict_mode = ENFORCING\\n' >${path}`);
      const ran = await expectUntouched(fleet);
      expect(said(ran)).toContain(`maria-02: ${path}`);
      await fleet.sh("maria-02", `rm ${path}`);
    });

    it("a password that was changed by hand is set again, on the account that is there", async () => {
      const { MARIADB_APP_PASSWORD = "" } = await fleet.credentials();
      const account = "erpnext@'10.0.0.%'";
      // The limit is nothing that is declared: an account that was dropped and made anew would have lost it.
      await rootSql(fleet, "maria-03", `ALTER USER ${account} IDENTIFIED BY 'by hand' WITH MAX_USER_CONNECTIONS 777`);
      const ran = await fleet.play("galera.ts");
      expect(errorsOf(ran)).toEqual([]);
      expect(having(ran, "changed")).toEqual(["maria-01: mysql_user erpnext@10.0.0.%"]);
      const login = { user: "erpnext", password: MARIADB_APP_PASSWORD };
      for (const from of PROXIES) {
        expect(await entrySql(fleet, from, "USE erpnext; SELECT CURRENT_USER()", login)).toBe("erpnext@10.0.0.%");
      }
      expect(await rootSql(fleet, "maria-02", `SHOW GRANTS FOR ${account}`)).toMatch(
        /MAX_USER_CONNECTIONS 777[\s\S]*GRANT ALL PRIVILEGES ON `erpnext`/,
      );
      await rootSql(fleet, "maria-03", `ALTER USER ${account} WITH MAX_USER_CONNECTIONS 0`);
    });

    it("no password is in a container's environment or command", async () => {
      const passwords = Object.entries(await fleet.credentials()).filter(([name]) => name.endsWith("_PASSWORD"));
      for (const host of [...NODES, ...PROXIES]) {
        const text = await fleet.sh(host, "docker ps -aq | xargs docker inspect");
        for (const [name, password] of passwords)
          expect([host, name, text.includes(password)]).toEqual([host, name, false]);
      }
    });

    it("a repository whose key does not sign it is refused, and left out", async () => {
      const ran = await fleet.play(
        join(ROOT, "tests/fixtures/wrong-key.ts"),
        "-e",
        "repository=http://10.0.0.1:5080/kb-hello/",
      );
      expect(ran.exitCode).toBe(1);
      expect(said(ran)).toMatch(/not signed|NO_PUBKEY|Missing key/);
      expect(await fleet.sh("lb-01", "ls /etc/apt/sources.list.d")).not.toContain("wrong-key");
    });

    it("no role and no playbook sleeps for a fixed time", () => {
      // Pauses between two looks: for the scratch server of a drill, and for a peer that a member waits for.
      expect(sleepsBelow("roles", "playbooks").toSorted()).toEqual([
        "roles/backup/files/drill.sh: sleep 0.5",
        "roles/galera/files/start-member.sh: sleep 1 &",
      ]);
    });
  });
}

/** Everything that a run gave as the reason of a failure. */
export function said(ran: Ran): string {
  return errorsOf(ran)
    .map(({ message, detail = "", hint = "" }) => `${message}\n${detail}\n${hint}`)
    .join("\n");
}

/** Plays `galera.ts`, with a var of the nodes more, and expects it to fail before any server is touched. */
async function expectUntouched(fleet: Fleet, nodeVar?: string): Promise<Ran> {
  const containers = await fleet.containers();
  const ran = await fleet.play("galera.ts", "-i", inventoryWith(fleet, nodeVar));
  expect(ran.exitCode).not.toBe(0);
  expect(having(ran, "changed")).toEqual([]);
  expect(await fleet.containers()).toEqual(containers);
  await wholeCluster(fleet);
  return ran;
}

/** A copy of the inventory, with a var of the nodes more. */
export function inventoryWith(fleet: Fleet, nodeVar: string | undefined): string {
  if (nodeVar === undefined) return fleet.inventory;
  const path = join(fleet.folder, "changed.yml");
  const line = /^( *)mariadb_version: .*$/m;
  writeFileSync(path, readFileSync(fleet.inventory, "utf8").replace(line, `$&\n$1${nodeVar}`));
  return path;
}

async function containersOf(fleet: Fleet, ...hosts: readonly string[]): Promise<readonly string[]> {
  return (await fleet.containers()).filter((line) => hosts.some((host) => line.startsWith(`${host}:`)));
}

/** Lines that pause, in what is carried out on hosts and in what decides about it. */
function sleepsBelow(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:ts|sh|ejs)$/.test(entry.name) && !entry.name.endsWith(".test.ts"))
      .flatMap((entry) => {
        const path = join(entry.parentPath, entry.name);
        const lines = readFileSync(path, "utf8").split("\n");
        return lines
          .filter((line) => /\bsleep\b[ (]+[\d.$]|setTimeout\(/.test(line))
          .map((line) => `${path.slice(ROOT.length + 1)}: ${line.trim()}`);
      }),
  );
}
