import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { down, exec, labEnvironment, up } from "@keybuzz/lab";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { errorsOf, having, kb, play, startKb } from "../support/kb.ts";

const LAB = "transport";
const PLAYBOOK = "tests/fixtures/files.ts";
const HOSTS = [
  { name: "one", address: "10.7.0.11" },
  { name: "two", address: "10.7.0.12" },
];
let folder: string;
let deployPassword: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-transport-"));
  await down(LAB);
  await up({ name: LAB, hosts: HOSTS }, { onStep: () => {} });
  const { KB_SSH_KEY = "" } = labEnvironment(LAB);
  deployPassword = readFileSync(KB_SSH_KEY.replace(/ssh-key$/, "deploy-password"), "utf8").trim();
});
afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await Promise.all(
    HOSTS.map(({ name }) => sh(name, "rm -rf /opt/kb-test; rm -f /etc/ssh/sshd_config.d/kb.conf /root/.bashrc")),
  );
});

async function sh(host: string, script: string): Promise<string> {
  const { code: exitCode, stdout, stderr } = await exec(LAB, host, ["sh", "-c", script]);
  if (exitCode !== 0) throw new Error(`${host}: ${script}: ${exitCode} ${stderr}`);
  return stdout;
}

/** An inventory of the hosts given, each with its vars; a file of its own. */
function inventory(hosts: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string {
  const file = join(folder, "hosts.yml");
  writeFileSync(file, JSON.stringify({ all: { hosts } }));
  return file;
}

const ONE = { ansible_host: "10.7.0.11" };
const TWO = { ansible_host: "10.7.0.12" };

describe("who may come in", () => {
  it.each([
    ["root", {}],
    ["a user with sudo and no password", { ansible_user: "admin" }],
  ])("%s", async (_who, vars) => {
    const ran = await play(LAB, [PLAYBOOK, "-i", inventory({ one: { ...ONE, ...vars } })]);
    expect(errorsOf(ran)).toEqual([]);
    expect(ran.exitCode).toBe(0);
    expect(await sh("one", "stat -c '%U %a' /opt/kb-test/last")).toBe("root 600\n");
  });

  it("a user with sudo and a password, which shows nowhere", async () => {
    const vars = { ...ONE, ansible_user: "deploy", ansible_become_password: deployPassword };
    const ran = await kb(LAB, ["play", PLAYBOOK, "-i", inventory({ one: vars }), "-v", "--diff"]);
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout + ran.stderr).not.toContain(deployPassword);
    expect(await sh("one", "journalctl --no-pager -q")).not.toContain(deployPassword);
  });

  it.each([
    [
      "a wrong sudo password",
      { ansible_user: "deploy", ansible_become_password: "wrong" },
      /sudo refused the password/,
    ],
    ["a missing sudo password", { ansible_user: "deploy" }, /sudo did not give a shell/],
    ["a user without our key", { ansible_user: "nobody" }, /refused every key/],
    ["a closed port", { ansible_port: 2222 }, /cannot connect to 10\.7\.0\.11:2222/],
    ["an address that nobody has", { ansible_host: "10.7.0.99" }, /cannot connect to 10\.7\.0\.99:22/],
  ])("not with %s: one clear message, and the other host goes on", async (_what, vars, message) => {
    const ran = await play(LAB, [PLAYBOOK, "-i", inventory({ one: { ...ONE, ...vars }, two: TWO })]);
    expect(ran.exitCode).toBe(4);
    expect(errorsOf(ran)).toHaveLength(1);
    expect(errorsOf(ran)[0]).toMatchObject({ code: "connect", host: "one", message: expect.stringMatching(message) });
    expect(errorsOf(ran)[0]?.hint).toBeTruthy();
    expect(ran.recap.find(({ host }) => host === "two")).toMatchObject({ changed: 23, unreachable: false });
  });

  it("not where the host key is unknown or has changed, before any authentication", async () => {
    const file = join(folder, "known_hosts");
    const { KB_KNOWN_HOSTS = "" } = labEnvironment(LAB);
    const line =
      readFileSync(KB_KNOWN_HOSTS, "utf8")
        .split("\n")
        .find((text) => text.includes("10.7.0.12")) ?? "";
    writeFileSync(file, `${line.replace(/^\S+/, "10.7.0.11")}\n`);
    const changed = await play(LAB, [PLAYBOOK, "-i", inventory({ one: ONE })], { env: { KB_KNOWN_HOSTS: file } });
    expect(errorsOf(changed)[0]?.message).toMatch(/host key of 10\.7\.0\.11 HAS CHANGED/);
    writeFileSync(file, "");
    const unknown = await play(LAB, [PLAYBOOK, "-i", inventory({ one: ONE })], { env: { KB_KNOWN_HOSTS: file } });
    expect(errorsOf(unknown)[0]?.message).toMatch(/host key of 10\.7\.0\.11 is unknown/);
    expect(unknown.exitCode).toBe(4);
    const accepted = await play(LAB, [PLAYBOOK, "-i", inventory({ one: ONE }), "--host-keys", "accept-new"], {
      env: { KB_KNOWN_HOSTS: file },
    });
    expect(accepted.exitCode).toBe(0);
    expect(readFileSync(file, "utf8")).toMatch(/^10\.7\.0\.11 ssh-/);
  });
});

describe("what is counted", () => {
  it("one connection, at most two sessions, two round trips first and one when converged", async () => {
    await sh("one", "echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/kb.conf; systemctl reload ssh");
    const hosts = inventory({ one: ONE });
    const first = await play(LAB, [PLAYBOOK, "-i", hosts]);
    expect(first.recap[0]).toMatchObject({ changed: 23, roundTrips: 2 });
    const since = await sh("one", "date '+%F %T'");
    await sh("one", "sleep 1.1");
    const second = await play(LAB, [PLAYBOOK, "-i", hosts]);
    expect(second.recap[0]).toMatchObject({ ok: 23, changed: 0, roundTrips: 1 });
    // Sessions are logged by a process of their own, outside of the unit.
    const log = await sh("one", `sleep 1; journalctl -q --no-pager --since '${since.trim()}'`);
    const last = log.slice(log.lastIndexOf("Connection from"));
    expect(last.match(/Accepted publickey/g)).toHaveLength(1);
    expect(last.match(/Starting session/g)?.length).toBeLessThanOrEqual(2);
  });
});

describe("awkward hosts", () => {
  it.each([
    ["a noisy rc file", "printf 'echo welcome; echo oops >&2; seq 200\\n' >/root/.bashrc; chsh -s /bin/bash root"],
    [
      "a banner and one session at most",
      "printf 'Banner /etc/hostname\\nMaxSessions 1\\n' >/etc/ssh/sshd_config.d/kb.conf; systemctl reload ssh",
    ],
    ["/tmp that nothing can run from", "mount -t tmpfs -o noexec,nosuid tmpfs /tmp"],
  ])("%s", async (_what, script) => {
    await sh("one", script);
    const ran = await play(LAB, [PLAYBOOK, "-i", inventory({ one: ONE })]);
    expect(errorsOf(ran)).toEqual([]);
    expect(ran.recap[0]).toMatchObject({ changed: 23, failed: 0 });
    await sh("one", "umount /tmp 2>/dev/null; rm -f /etc/ssh/sshd_config.d/kb.conf; systemctl reload ssh");
  });

  it("a full disk: one clear message, nothing half-written", async () => {
    await sh(
      "one",
      "mkdir -p /opt/kb-small; mount -t tmpfs -o size=64k tmpfs /opt/kb-small; head -c 60000 /dev/zero >/opt/kb-small/fill",
    );
    try {
      const text = "x".repeat(30_000);
      const ran = await play(LAB, [
        PLAYBOOK,
        "-i",
        inventory({ one: ONE }),
        "-e",
        "folder=/opt/kb-small/d",
        "-e",
        `text=${text}`,
      ]);
      expect(ran.exitCode).toBe(1);
      expect(errorsOf(ran)[0]).toMatchObject({ host: "one", detail: expect.stringMatching(/no space left/i) });
      expect(await sh("one", "find /opt/kb-small -name '.keybuzz*'")).toBe("");
    } finally {
      await sh("one", "umount /opt/kb-small");
    }
  });
});

describe("interruptions", () => {
  const slow = ["-e", "sleepSeconds=6"];

  it("kill -9 of kb in mid run: the same command again converges", async () => {
    const hosts = inventory({ one: ONE, two: TWO });
    const running = startKb(LAB, ["play", PLAYBOOK, "-i", hosts, ...slow, "--json"]);
    await running.told('"working');
    running.child.kill("SIGKILL");
    await running.done;
    // The action that was going on is finished by the host; its lock goes with the shell that held it.
    await expect
      .poll(async () => (await play(LAB, [PLAYBOOK, "-i", hosts, ...slow])).exitCode, {
        timeout: 60_000,
        interval: 1000,
      })
      .toBe(0);
    const again = await play(LAB, [PLAYBOOK, "-i", hosts, ...slow]);
    expect(having(again, "changed")).toEqual([]);
  });

  it("two runs at one host exclude each other, and the second names the first", async () => {
    const hosts = inventory({ one: ONE });
    const first = startKb(LAB, ["play", PLAYBOOK, "-i", hosts, ...slow, "--json"]);
    await first.told('"working');
    const second = await play(LAB, [PLAYBOOK, "-i", hosts]);
    expect(second.exitCode).toBe(1);
    expect(errorsOf(second)[0]).toMatchObject({
      code: "locked",
      detail: expect.stringMatching(/held for \d+ s by \S+@\S+ \(process \d+/),
    });
    expect((await play(LAB, [PLAYBOOK, "-i", hosts, "--check"])).exitCode).toBe(0);
    expect((await first.done).exitCode).toBe(0);
  });

  it("Ctrl-C: the current action is finished, the next not begun, the lock is free", async () => {
    const hosts = inventory({ one: ONE });
    const running = startKb(LAB, ["play", PLAYBOOK, "-i", hosts, "-e", "sleepSeconds=2", "--json"]);
    await running.told('"working');
    running.child.kill("SIGINT");
    const ran = await running.done;
    expect(ran.exitCode).toBe(130);
    expect(await sh("one", "ls /opt/kb-test | grep -c -e done -e last")).toBe("1\n");
    expect((await play(LAB, [PLAYBOOK, "-i", hosts])).exitCode).toBe(0);
  });
});
