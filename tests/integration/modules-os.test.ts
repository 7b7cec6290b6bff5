import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareSnapshots, down, exec, snapshot, up } from "@keybuzz/lab";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorsOf, having, kb, play, type Ran, startKb } from "../support/kb.ts";

const LAB = "modos";
const HOST = "os-01";
const PLAYBOOK = "tests/fixtures/modules-os.ts";
let folder: string;
let inventory: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-modos-"));
  inventory = join(folder, "hosts.yml");
  writeFileSync(inventory, JSON.stringify({ all: { hosts: { [HOST]: { ansible_host: "10.7.1.11" } } } }));
  await down(LAB);
  const host = { name: HOST, address: "10.7.1.11", volumes: [{ device: "/dev/sdb", sizeMib: 512 }] };
  await up({ name: LAB, hosts: [host] }, { onStep: () => {} });
});
afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});

async function on(script: string): Promise<string> {
  const { code, stdout, stderr } = await exec(LAB, HOST, ["sh", "-c", script]);
  if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr}`);
  return stdout;
}

async function run(...flags: readonly string[]): Promise<Ran> {
  const ran = await play(LAB, [PLAYBOOK, "-i", inventory, ...flags]);
  expect(errorsOf(ran)).toEqual([]);
  return ran;
}

/** Gates wait and prove; what they say in check mode is not a change. */
const changed = (ran: Ran): readonly string[] => having(ran, "changed");

describe("the modules of the operating system", () => {
  let first: Ran;

  it("tell in check mode what the run then changes, and touch nothing", async () => {
    const before = snapshot(LAB, HOST);
    const check = await run("--check", "--diff");
    expect(compareSnapshots(before, snapshot(LAB, HOST))).toEqual([]);
    expect(having(check, "unknown")).toEqual([]);
    first = await run();
    expect(changed(first)).toEqual(changed(check));
    expect(changed(first)).toHaveLength(22);
  });

  it("change nothing more, in one round trip, on a host whose root is read-only too", async () => {
    const again = await run();
    expect(changed(again)).toEqual([]);
    expect(having(again, "ok")).toHaveLength(26);
    expect(again.recap).toMatchObject([{ roundTrips: 1 }]);
    await on("mount -o remount,bind,ro /");
    expect(having(await run("--check"), "ok")).toHaveLength(26);
    await on("mount -o remount,bind,rw /");
  });

  it("have made what they said", async () => {
    expect(await on("hostname; cat /etc/hostname; grep -A1 BEGIN /etc/hosts")).toBe(
      "os-01-renamed\nos-01-renamed\n# BEGIN KEYBUZZ MANAGED BLOCK\n10.7.1.11 os-01-renamed\n",
    );
    expect(await on("getent passwd kbapp; id -nG kbadmin; getent group kbapp")).toBe(
      "kbapp:x:3100:3100::/srv/app:/usr/sbin/nologin\nkbadmin adm kbapp\nkbapp:x:3100:kbadmin\n",
    );
    expect(await on("getent shadow kbadmin | cut -d: -f2 | cut -c1-16")).toBe("$6$kbtestsalt$pB\n");
    expect(await on("findmnt -rno FSTYPE,OPTIONS --mountpoint '/opt/kb data' | cut -d, -f1,2")).toBe(
      "xfs rw,noatime\n",
    );
    expect(await on("grep kb /etc/fstab; blkid -s LABEL -o value /dev/sdb")).toBe(
      "/dev/sdb /opt/kb\\040data xfs defaults,noatime,nofail 0 0\nkbdata\n",
    );
    expect(await on("stat -c '%a %U %G' '/opt/kb data' '/opt/kb data/tmp' /etc/kb.d/key /etc/kb.d/app.conf")).toBe(
      "750 kbapp kbapp\n755 kbapp kbapp\n600 root root\n640 root kbapp\n",
    );
    expect(await on("cat /etc/kb.d/app.conf /etc/kb.d/lines.conf /etc/kb.d/made /etc/kb.d/derived")).toBe(
      "# rendered for os-01\nlisten = 10.7.1.11:8080\npassword = integration-secret-2\n" +
        "beta=1\nalpha=1\nintegration-secret-3\nit's\na = 1\n",
    );
    expect(await on("cat /proc/sys/net/core/somaxconn /etc/sysctl.d/60-keybuzz.conf")).toBe(
      "1024\nnet.ipv4.tcp_fin_timeout = 30\nnet.core.somaxconn = 1024\n",
    );
    expect(await on("crontab -l -u root; crontab -l -u kbadmin")).toBe(
      "#Ansible: kb nightly\n15 3 * * * /bin/true nightly\n#Ansible: kb at boot\n@reboot /bin/true boot\n",
    );
  });

  it("show no secret, on the terminal, in events or on the host's process list", async () => {
    await on("rm /etc/kb.d/key /etc/kb.d/app.conf /etc/kb.d/made; usermod -p x kbadmin");
    const shown = await kb(LAB, ["play", PLAYBOOK, "-i", inventory, "--check", "--diff", "-v"]);
    const ran = await run("--diff", "-v");
    expect(changed(ran)).toHaveLength(4);
    expect(shown.stdout).toContain("secret");
    for (const text of [shown.stdout, shown.stderr, ran.stdout, ran.stderr, await on("journalctl --no-pager -q")]) {
      expect(text).not.toMatch(/integration-secret|pBdLWbpGvUqz/);
    }
  });

  it.each([
    [
      "echo x >>/etc/kb.d/static.conf",
      ["file /etc/kb.d/static.conf", "command cp /etc/kb.d/static.conf /etc/kb.d/derived"],
    ],
    ["chmod 0666 /etc/kb.d/app.conf", ["template /etc/kb.d/app.conf"]],
    ["ln -sf /etc/passwd /etc/kb.d/key", ["file /etc/kb.d/key"]],
    ["chown root '/opt/kb data/tmp'", ["directory /opt/kb data/tmp"]],
    ["mount -o remount,relatime '/opt/kb data'", ["mount /opt/kb data"]],
    ["sed -i '\\|/opt/kb|d' /etc/fstab", ["mount /opt/kb data"]],
    ["sed -i 's/^alpha=.*/alpha=9\\nalpha=8/' /etc/kb.d/lines.conf", ["lineinfile /etc/kb.d/lines.conf"]],
    ["sed -i '/renamed/d' /etc/hosts", ["blockinfile /etc/hosts"]],
    ["echo 4096 >/proc/sys/net/core/somaxconn", ["sysctl net.core.somaxconn"]],
    ["sed -i /somaxconn/d /etc/sysctl.d/60-keybuzz.conf", ["sysctl net.core.somaxconn"]],
    ["crontab -l | sed 's/15 3/16 3/' | crontab -", ["cron kb nightly"]],
    ["crontab -r -u kbadmin", ["cron kb at boot of kbadmin"]],
    ["usermod -s /bin/sh -G adm kbadmin", ["user kbadmin"]],
    ["rm -r /srv/app", ["user kbapp"]],
    ["hostname else", ["hostname os-01-renamed"]],
  ])("see and mend drift: %s", async (drift, tasks) => {
    await on(drift);
    const names = tasks.map((task) => `${HOST}: ${task}`);
    const check = await run("--check");
    expect(changed(check)).toEqual(expect.arrayContaining(names));
    const mended = await run();
    expect(changed(mended)).toEqual(changed(check));
    expect(changed(await run())).toEqual([]);
  });

  it("do not guess what is on a file system that is not mounted", async () => {
    await on("umount '/opt/kb data'");
    const check = await run("--check");
    expect(changed(check)).toEqual([`${HOST}: mount /opt/kb data`]);
    expect(having(check, "unknown")).toEqual([
      `${HOST}: directory /opt/kb data`,
      `${HOST}: directory /opt/kb data/tmp`,
    ]);
    expect(changed(await run())).toEqual(changed(check));
  });

  it("undo it: again the check says it all, and the second run finds nothing to do", async () => {
    const check = await run("--check", "-e", "state=absent");
    const undone = await run("-e", "state=absent");
    const unseen = `${HOST}: directory /opt/kb data`;
    expect(having(check, "unknown")).toEqual([unseen]);
    expect(changed(undone)).toEqual([...changed(check), unseen].sort());
    expect(changed(await run("-e", "state=absent"))).toEqual([]);
    expect(await on("ls -d /etc/kb.d '/opt/kb data' 2>&1 || true; grep -c kb /etc/fstab || true")).toMatch(
      /cannot access[\s\S]*cannot access[\s\S]*\n0\n/,
    );
  });

  it.each(["user kbadmin", "filesystem /dev/sdb", "mount /opt/kb data", "template", "cron kb nightly", "command"])(
    "converge after kb was killed in the midst, at %s",
    async (task) => {
      await run("-e", "state=absent");
      await on("wipefs -qa /dev/sdb; rm -f /etc/sysctl.d/60-keybuzz.conf");
      const running = startKb(LAB, ["play", PLAYBOOK, "-i", inventory, "--json"]);
      await running.told(`${task}`);
      running.child.kill("SIGKILL");
      await running.done;
      // What the host was doing comes to an end, and frees the host's lock.
      await on("until flock -w 30 -E 9 /run/lock/keybuzz.lock true; do sleep 0.2; done");
      await run();
      expect(changed(await run())).toEqual([]);
    },
  );

  it("never format a device that holds anything", async () => {
    await run("-e", "state=absent");
    await on("wipefs -qa /dev/sdb && mkfs.ext4 -q /dev/sdb");
    const uuid = await on("blkid -s UUID -o value /dev/sdb");
    const ran = await play(LAB, [PLAYBOOK, "-i", inventory]);
    expect(errorsOf(ran)).toMatchObject([{ task: "filesystem /dev/sdb", message: /holds ext4, not xfs/ }]);
    expect(changed(ran)).toEqual([]);
    expect(await on("blkid -s UUID -o value /dev/sdb")).toBe(uuid);
  });
});
