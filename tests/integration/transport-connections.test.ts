import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONTROLLER, down, exec, heal, labEnvironment, partition, up } from "@keybuzz/lab";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectMany, type Outcome, target } from "../support/connect-many.ts";
import { count, type ExtraSshd, startSshd } from "../support/extra-sshd.ts";
import { errorsOf, kb, play, startKb } from "../support/kb.ts";

/** One host with many sshds, each on a port of its own with a configuration of its own. */
const LAB = "conn";
const HOST = "one";
const ADDRESS = "10.7.1.11";
const PLAYBOOK = "tests/fixtures/files.ts";

let folder: string;
let hostKey: string;
let labKey: string;
let deployPassword: string;
const daemons: ExtraSshd[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-conn-"));
  await down(LAB);
  await up({ name: LAB, hosts: [{ name: HOST, address: ADDRESS }] }, { onStep: () => {} });
  const { KB_SSH_KEY = "" } = labEnvironment(LAB);
  labKey = KB_SSH_KEY;
  deployPassword = readFileSync(labKey.replace(/ssh-key$/, "deploy-password"), "utf8").trim();
  hostKey = (await sh("cat /etc/ssh/ssh_host_ed25519_key.pub")).split(" ").slice(0, 2).join(" ");
});
afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.stop()));
});

async function sh(script: string, timeoutMs = 60_000): Promise<string> {
  const { code, stdout, stderr } = await exec(LAB, HOST, ["sh", "-c", script], { timeoutMs });
  if (code !== 0) throw new Error(`${script}: ${code} ${stderr}`);
  return stdout;
}

async function sshd(port: number, ...lines: readonly string[]): Promise<ExtraSshd> {
  const daemon = await startSshd(LAB, HOST, port, lines);
  daemons.push(daemon);
  return daemon;
}

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

function makeKey(name: string, ...args: readonly string[]): string {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path, ...args]);
  return path;
}

/** Known by every name that a test gives to this host. */
const known = (): string => file("known_hosts", `* ${hostKey}\n[*]:* ${hostKey}\n`);
const inventory = (name: string, hosts: Readonly<Record<string, unknown>>): string =>
  file(`${name}.yml`, JSON.stringify({ all: { hosts } }));
const errors = (outcomes: readonly Outcome[]) =>
  outcomes.flatMap(({ error, detail }) => (error ? [`${error} ${detail}`] : []));

describe("many hosts", () => {
  it("200 behind one bastion with a stock sshd: one connection to it, no failure, bounded memory", async () => {
    const bastion = await sshd(2301);
    const inner = await sshd(2302, "MaxStartups 500", "UsePAM no");
    const config = file("config", `Host 127.*\n  ProxyJump root@${ADDRESS}:2301\n`);
    const targets = Array.from({ length: 200 }, (_, n) => target(`t${n}`, `127.0.1.${n + 1}`, { port: 2302 }));
    const options = { configFile: config, knownHostsFiles: [known()], privateKeyFile: labKey };
    const { outcomes, rssMib } = await connectMany(LAB, { targets, options });
    expect(errors(outcomes)).toEqual([]);
    expect(outcomes.filter(({ stdout }) => stdout === "root\n")).toHaveLength(200);
    expect(rssMib).toBeLessThan(600);
    expect(count(await bastion.log(), /Connection from/)).toBe(1);
    expect(count(await bastion.log(), /Starting session/)).toBe(0);
    expect(count(await inner.log(), /Accepted publickey/)).toBe(200);
  });

  it("through two bastions, each verified, from an inventory's ssh arguments", async () => {
    const [first, second] = [await sshd(2303), await sshd(2304)];
    const jump = `root@${ADDRESS}:2303,admin@127.0.0.1:2304`;
    const hosts = inventory("hops", {
      far: { ansible_host: "127.0.0.1", ansible_user: "admin", ansible_ssh_common_args: `-o ProxyJump=${jump}` },
      near: { ansible_host: ADDRESS, ansible_ssh_common_args: `-J root@${ADDRESS}:2303` },
    });
    const ran = await kb(LAB, ["ping", "-i", hosts, "--known-hosts", known()]);
    expect(ran.stdout).toMatch(/ok +far +127\.0\.0\.1/);
    expect(ran.stdout).toMatch(/ok +near/);
    expect(count(await first.log(), /Accepted publickey for root/)).toBe(1);
    expect(count(await second.log(), /Accepted publickey for admin/)).toBe(1);
    const partly = file("partly", `[${ADDRESS}]:2303 ${hostKey}\n`);
    const refused = await kb(LAB, ["ping", "far", "-i", hosts, "--known-hosts", partly]);
    expect(refused.stdout).toMatch(
      /cannot get through admin@127\.0\.0\.1:2304: the host key of \[127\.0\.0\.1\]:2304 is unknown/,
    );
    expect(count(await second.log(), /Accepted publickey|Failed/)).toBe(1);
  });

  it("says what a bastion forbids, and does not ask a refusing one again for each host", async () => {
    await sshd(2320, "AllowTcpForwarding no");
    const denying = await sshd(2321, "AuthorizedKeysFile none");
    const through = (port: number, n: number) =>
      target(`t${port}-${n}`, `127.0.2.${n}`, { sshArgs: ["-J", `root@${ADDRESS}:${port}`] });
    const targets = [through(2320, 1), ...Array.from({ length: 10 }, (_, n) => through(2321, n + 1))];
    const options = { knownHostsFiles: [known()], privateKeyFile: labKey };
    const { outcomes } = await connectMany(LAB, { targets, options });
    expect(outcomes[0]).toMatchObject({
      detail: expect.stringMatching(/the bastion forbids it[\s\S]*through root@/),
      hint: expect.stringMatching(/AllowTcpForwarding/),
    });
    expect(outcomes.slice(1).map(({ error }) => /cannot get through .* refused every key/.test(error ?? ""))).toEqual(
      Array.from({ length: 10 }, () => true),
    );
    expect(count(await denying.log(), /Connection from/)).toBe(1);
  });

  it("takes its turn where a sshd lets two in at once", async () => {
    await sshd(2305, "MaxStartups 2", "UsePAM no");
    const targets = Array.from({ length: 12 }, (_, n) =>
      target(`a${n}`, ADDRESS, { port: 2305, sshArgs: ["-o", `HostKeyAlias=a${n}`] }),
    );
    const { outcomes } = await connectMany(LAB, { targets, options: { knownHostsFiles: [known()] } });
    expect(errors(outcomes)).toEqual([]);
  });

  it("waits where a sshd punishes a failed login, and tries no more keys than it was given", async () => {
    const daemon = await sshd(2306, "PerSourcePenalties authfail:4s min:2s max:5s", "UsePAM no");
    const targets = [
      target("stranger", ADDRESS, { port: 2306, user: "games" }),
      target("ours", ADDRESS, { port: 2306 }),
    ];
    const { outcomes } = await connectMany(LAB, { targets, options: { knownHostsFiles: [known()] }, oneByOne: true });
    expect(outcomes[0]?.error).toMatch(/games@.*refused every key/);
    expect(outcomes[1]?.error).toBeUndefined();
    expect(await daemon.log()).toMatch(/penalty/);
    expect(count(await daemon.log(), /Failed publickey/)).toBeLessThanOrEqual(1);
  });
});

describe("ssh configuration", () => {
  it("names hosts, users, ports and keys, and an inventory's own words come first", async () => {
    await sshd(2307);
    const include = file(
      "include",
      `Host db\n  HostName ${ADDRESS}\n  Port 2307\n  User admin\n  IdentityFile ${labKey}\n`,
    );
    const config = file("config", `Include ${include}\nHost *\n  UserKnownHostsFile ${known()}\n`);
    const hosts = inventory("named", {
      plain: { ansible_host: "db" },
      own: { ansible_host: "db", ansible_user: "root" },
    });
    const ran = await kb(LAB, ["ping", "-i", hosts, "--ssh-config", config], {
      env: { KB_SSH_KEY: "", KB_KNOWN_HOSTS: "" },
    });
    expect(ran.stderr + ran.stdout).not.toMatch(/unreachable/);
    expect(ran.exitCode).toBe(0);
    // The configuration's user is not root, so that it becomes root; both end up as root.
    expect(ran.stdout.match(/ok .* root/g)).toHaveLength(2);
    expect(await sh("cat /run/kb-sshd-2307.log")).toMatch(
      /Accepted publickey for admin[\s\S]*Accepted publickey for root|for root[\s\S]*for admin/,
    );
  });

  it("without an ssh the same is read by a parser", async () => {
    await sshd(2307);
    const config = file("config", `Host db\n  HostName ${ADDRESS}\n  Port 2307\n  User admin\n`);
    const bin = join(folder, "bin");
    mkdirSync(bin, { recursive: true });
    const { outcomes } = await connectMany(LAB, {
      targets: [target("db", "db")],
      options: { configFile: config, knownHostsFiles: [known()] },
      path: bin,
    });
    expect(errors(outcomes)).toEqual([]);
    expect(outcomes[0]?.user).toBe("admin");
  });
});

describe("logins", () => {
  it("by password, by questions, and by both a key and a password", async () => {
    const byPassword = await sshd(
      2308,
      "PasswordAuthentication yes",
      "KbdInteractiveAuthentication no",
      "PubkeyAuthentication no",
    );
    await sshd(2309, "PasswordAuthentication no", "KbdInteractiveAuthentication yes", "PubkeyAuthentication no");
    await sshd(2310, "AuthenticationMethods publickey,password publickey,keyboard-interactive");
    const deploy = { user: "deploy", password: deployPassword };
    const { outcomes } = await connectMany(LAB, {
      targets: [
        ...[2308, 2309, 2310].map((port) => target(`p${port}`, ADDRESS, { ...deploy, port })),
        target("wrong", ADDRESS, { ...deploy, password: "wrong", port: 2308, sshArgs: ["-o", "HostKeyAlias=w"] }),
        target("none", ADDRESS, { user: "deploy", port: 2308, sshArgs: ["-o", "HostKeyAlias=n"] }),
      ],
      options: { knownHostsFiles: [known()] },
    });
    expect(outcomes.slice(0, 3).map(({ stdout }) => stdout)).toEqual(["deploy\n", "deploy\n", "deploy\n"]);
    expect(outcomes[3]).toMatchObject({
      error: expect.stringMatching(/refused the password/),
      hint: "check ansible_password",
    });
    expect(outcomes[4]).toMatchObject({ hint: expect.stringMatching(/--ask-pass/) });
    // A wrong password is tried once: a second try would help to lock the account.
    expect(count(await byPassword.log(), /Failed password/)).toBe(1);
    expect(JSON.stringify(outcomes)).not.toContain(deployPassword);
  });

  it("by a passphrase that is asked for once, by a program or a descriptor", async () => {
    const key = join(folder, "locked");
    writeFileSync(key, readFileSync(labKey), { mode: 0o600 });
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", key]);
    const hosts = inventory("two", {
      a: { ansible_host: ADDRESS },
      b: { ansible_host: ADDRESS, ansible_user: "admin" },
    });
    const asked = join(folder, "asked");
    const askpass = file("askpass", `#!/bin/sh\necho "$1" >>'${asked}'\necho 'open sesame'\n`, 0o700);
    const args = ["ping", "-i", hosts, "--private-key", key];
    const env = { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force", SSH_AUTH_SOCK: "" };
    for (const connection of ["ssh", "openssh"]) {
      rmSync(asked, { force: true });
      const ran = await kb(LAB, [...args, "--connection", connection], { env });
      expect(ran.stdout + ran.stderr).not.toMatch(/unreachable/);
      expect(readFileSync(asked, "utf8").trim().split("\n")).toEqual([expect.stringContaining(`passphrase of ${key}`)]);
    }
    const nobody = await kb(LAB, args, { env: { SSH_AUTH_SOCK: "" } });
    expect(nobody.stdout).toMatch(/cannot be used: encrypted/);
  });

  it("by an agent, which is not emptied onto a host: five keys at most, the named one first", async () => {
    const daemon = await sshd(2311);
    const socket = join(folder, "agent");
    const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    try {
      await expect.poll(() => existsSync(socket)).toBe(true);
      const keys = Array.from({ length: 7 }, (_, n) => makeKey(`decoy${n}`));
      const env = { SSH_AUTH_SOCK: socket };
      execFileSync("ssh-add", ["-q", ...keys, labKey], { env: { ...process.env, ...env }, stdio: "ignore" });
      // The agent has the key that this file holds locked, so nobody is asked.
      const locked = join(folder, "locked2");
      writeFileSync(locked, readFileSync(labKey), { mode: 0o600 });
      execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", "other", "-f", locked]);
      const options = { knownHostsFiles: [known()], passphrase: "none" };
      const named = target("named", ADDRESS, { port: 2311, privateKeyFile: locked });
      const { privateKeyFile: _, ...unnamed } = target("unnamed", ADDRESS, { port: 2311 });
      const config = file("config", `Host *\n  IdentityFile ${join(folder, "no-such-key")}\n`);
      const one = await connectMany(LAB, { targets: [named], options }, env);
      expect(one).toMatchObject({ asked: 0, outcomes: [{ stdout: "root\n" }] });
      expect(count(await daemon.log(), /Failed publickey/)).toBe(0);
      const many = await connectMany(
        LAB,
        { targets: [{ ...unnamed, privateKeyFile: keys[0] ?? "" }], options: { ...options, configFile: config } },
        env,
      );
      expect(many.outcomes[0]).toMatchObject({
        error: expect.stringMatching(/refused every key/),
        detail: expect.stringMatching(/not tried/),
      });
      expect(count(await daemon.log(), /Failed publickey/)).toBe(5);
      expect(await daemon.log()).not.toMatch(/Too many authentication failures/);
    } finally {
      agent.kill();
    }
  });

  it("that takes longer than the handshake may", async () => {
    await sh(
      "printf '#!/bin/sh\\nsleep 6\\ncat /root/.ssh/authorized_keys\\n' >/usr/local/sbin/slow-keys; chmod 755 /usr/local/sbin/slow-keys",
    );
    await sshd(
      2312,
      "AuthorizedKeysCommand /usr/local/sbin/slow-keys",
      "AuthorizedKeysCommandUser root",
      "AuthorizedKeysFile none",
    );
    const options = { knownHostsFiles: [known()], timeoutMs: 5_000 };
    const { outcomes } = await connectMany(LAB, { targets: [target("slow", ADDRESS, { port: 2312 })], options });
    expect(errors(outcomes)).toEqual([]);
    expect(outcomes[0]?.ms).toBeGreaterThan(6_000);
  });
});

describe("host keys", () => {
  it("asks for the types that it knows, whatever else the host has", async () => {
    await sh("test -e /etc/ssh/kb_ecdsa || ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/kb_ecdsa");
    const ecdsa = (await sh("cat /etc/ssh/kb_ecdsa.pub")).split(" ").slice(0, 2).join(" ");
    await sshd(2313, "HostKey /etc/ssh/ssh_host_ed25519_key", "HostKey /etc/ssh/kb_ecdsa");
    const options = { knownHostsFiles: [file("ecdsa", `[${ADDRESS}]:2313 ${ecdsa}\n`)] };
    const { outcomes } = await connectMany(LAB, { targets: [target("one", ADDRESS, { port: 2313 })], options });
    expect(errors(outcomes)).toEqual([]);
  });

  it.each(["strict", "accept-new"] as const)(
    "%s: a changed or revoked key is refused before anything is sent",
    async (hostKeys) => {
      const daemon = await sshd(2314);
      const other = readFileSync(`${makeKey(`other-${hostKeys}`)}.pub`, "utf8")
        .split(" ")
        .slice(0, 2)
        .join(" ");
      for (const [lines, message] of [
        [`[${ADDRESS}]:2314 ${other}\n`, /HAS CHANGED/],
        [`[${ADDRESS}]:2314 ${hostKey}\n@revoked * ${hostKey}\n`, /is revoked/],
      ] as const) {
        const options = { hostKeys, knownHostsFiles: [file("bad", lines)] };
        const { outcomes } = await connectMany(LAB, { targets: [target("one", ADDRESS, { port: 2314 })], options });
        expect(outcomes[0]?.error).toMatch(message);
      }
      expect(count(await daemon.log(), /Accepted|Failed|Invalid user/)).toBe(0);
    },
  );

  it("writes down what accept-new accepts, once, for ssh to find again; fails closed on what it cannot read", async () => {
    await sshd(2315);
    const accepted = file("accepted", "# no newline at the end");
    const targets = [target("a", ADDRESS, { port: 2315 }), target("b", ADDRESS, { port: 2315, user: "admin" })];
    const ran = await connectMany(LAB, { targets, options: { hostKeys: "accept-new", knownHostsFiles: [accepted] } });
    expect(errors(ran.outcomes)).toEqual([]);
    expect(readFileSync(accepted, "utf8")).toBe(`# no newline at the end\n[${ADDRESS}]:2315 ${hostKey}\n`);
    const found = execFileSync("ssh-keygen", ["-F", `[${ADDRESS}]:2315`, "-f", accepted], { encoding: "utf8" });
    expect(found).toContain("found: line 2");
    const unreadable = await connectMany(LAB, {
      targets,
      options: { hostKeys: "accept-new", knownHostsFiles: [folder] },
    });
    expect(errors(unreadable.outcomes)).toHaveLength(2);
    expect(unreadable.outcomes[0]?.error).toMatch(/cannot read .*, so no host key can be trusted/);
  });
});

describe("the system's ssh", () => {
  it("logs in by certificates, where the built-in ssh refuses and names it", async () => {
    const [hostCa, userCa, user] = ["host-ca", "user-ca", "user"].map((name) => makeKey(name)) as [
      string,
      string,
      string,
    ];
    await sh(`cat >/etc/ssh/kb_user_ca.pub <<'E'\n${readFileSync(`${userCa}.pub`, "utf8")}E`);
    const hostPublic = file("host.pub", `${hostKey}\n`);
    execFileSync("ssh-keygen", ["-q", "-s", hostCa, "-h", "-I", "one", "-n", ADDRESS, "-V", "-1h:+1h", hostPublic]);
    execFileSync("ssh-keygen", ["-q", "-s", userCa, "-I", "kb", "-n", "root", "-V", "-1h:+1h", `${user}.pub`]);
    await sh(`cat >/etc/ssh/kb_host-cert.pub <<'E'\n${readFileSync(join(folder, "host-cert.pub"), "utf8")}E`);
    const daemon = await sshd(
      2316,
      "HostCertificate /etc/ssh/kb_host-cert.pub",
      "TrustedUserCAKeys /etc/ssh/kb_user_ca.pub",
      "AuthorizedKeysFile none",
    );
    const authority = file("authority", `@cert-authority [${ADDRESS}]:2316 ${readFileSync(`${hostCa}.pub`, "utf8")}`);
    const options = { knownHostsFiles: [authority] };
    const one = target("one", ADDRESS, { port: 2316, privateKeyFile: user });
    const { outcomes } = await connectMany(LAB, { targets: [one, { ...one, connection: "openssh" }], options });
    expect(outcomes[0]).toMatchObject({
      error: expect.stringMatching(/has to be certified/),
      hint: expect.stringMatching(/openssh/),
    });
    expect(outcomes[1]).toMatchObject({ stdout: "root\n", user: "root" });
    expect(await daemon.log()).toMatch(/Accepted publickey for root .* CA ED25519/);
  });

  it("speaks a post-quantum key exchange and goes through a ProxyCommand, in one connection and two sessions", async () => {
    const daemon = await sshd(
      2317,
      "KexAlgorithms sntrup761x25519-sha512@openssh.com,mlkem768x25519-sha256",
      "Banner /etc/debian_version",
    );
    const hosts = inventory("pq", { one: { ansible_host: ADDRESS, ansible_port: 2317 } });
    const config = file("config", "Host 10.*\n  ProxyCommand socat - TCP:%h:%p\n");
    const args = [PLAYBOOK, "-i", hosts, "--known-hosts", known(), "-e", "folder=/opt/kb-pq"];
    const refused = await play(LAB, args);
    expect(errorsOf(refused)[0]).toMatchObject({
      message: expect.stringMatching(/speaks no algorithm/),
      hint: expect.stringMatching(/openssh/),
    });
    const command = await play(LAB, [...args, "--ssh-config", config]);
    expect(errorsOf(command)[0]).toMatchObject({
      message: expect.stringMatching(/no ProxyCommand/),
      hint: expect.stringMatching(/openssh/),
    });
    const since = (await daemon.log()).length;
    const ran = await play(LAB, [...args, "--ssh-config", config, "-c", "openssh"]);
    expect(errorsOf(ran)).toEqual([]);
    expect(ran.recap[0]).toMatchObject({ changed: 23, roundTrips: 2 });
    const log = (await daemon.log()).slice(since);
    expect(count(log, /Accepted publickey/)).toBe(1);
    expect(count(log, /Connection from/)).toBe(1);
    expect(count(log, /Starting session/)).toBeLessThanOrEqual(2);
  });
});

describe("what is counted", () => {
  it.each(["ssh", "openssh"])(
    "%s: one connection, two sessions at most, one sudo with a password, in a first run and an interrupted one",
    async (connection) => {
      const daemon = await sshd(2318);
      const hosts = inventory("sudo", {
        one: {
          ansible_host: ADDRESS,
          ansible_port: 2318,
          ansible_user: "deploy",
          ansible_become_password: deployPassword,
        },
      });
      const args = [
        PLAYBOOK,
        "-i",
        hosts,
        "--known-hosts",
        known(),
        "-c",
        connection,
        "-e",
        `folder=/opt/kb-${connection}`,
      ];
      const cursor = await sh("journalctl -q -n 0 --show-cursor | sed 's/^-- cursor: //'");
      const running = startKb(LAB, ["play", ...args, "-e", "sleepSeconds=2", "--json"]);
      await running.told('"working');
      running.child.kill("SIGINT");
      expect((await running.done).exitCode).toBe(130);
      const log = await daemon.log();
      expect(count(log, /Accepted publickey/)).toBe(1);
      expect(count(log, /Connection from/)).toBe(1);
      expect(count(log, /Starting session/)).toBeLessThanOrEqual(2);
      const sudo = await sh(`journalctl -q --no-pager --after-cursor='${cursor.trim()}' _COMM=sudo`);
      expect(count(sudo, /COMMAND=/)).toBe(1);
      expect(count(sudo, /session opened for user root/)).toBe(1);
      expect(sudo).not.toMatch(/authentication failure/);
    },
  );

  it("a wrong sudo password is tried once", async () => {
    const hosts = inventory("wrong", {
      one: { ansible_host: ADDRESS, ansible_user: "deploy", ansible_become_password: "wrong" },
    });
    const cursor = await sh("journalctl -q -n 0 --show-cursor | sed 's/^-- cursor: //'");
    const ran = await play(LAB, [PLAYBOOK, "-i", hosts]);
    expect(errorsOf(ran)[0]?.message).toMatch(/sudo refused the password/);
    const sudo = await sh(`journalctl -q --no-pager --after-cursor='${cursor.trim()}' _COMM=sudo`);
    expect(count(sudo, /authentication failure/)).toBe(1);
  });
});

describe("awkward logins", () => {
  beforeAll(async () => {
    await sh(
      "apt-get install -y --no-install-recommends busybox-static tcsh libfaketime opendoas >/dev/null 2>&1",
      100_000,
    );
  });

  it("a csh that is slow and talks on both streams", async () => {
    await sh(
      "useradd -m -s /bin/tcsh odd 2>/dev/null || true; echo 'odd ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/odd; mkdir -p ~odd/.ssh; cp /root/.ssh/authorized_keys ~odd/.ssh/; chown -R odd ~odd/.ssh",
    );
    await sh("printf 'sleep 1\\necho welcome\\nsh -c \"echo oops >&2; seq 300\"\\n' >~odd/.cshrc");
    for (const connection of ["ssh", "openssh"]) {
      const hosts = inventory("odd", { one: { ansible_host: ADDRESS, ansible_user: "odd" } });
      const ran = await play(LAB, [PLAYBOOK, "-i", hosts, "-c", connection, "-e", `folder=/opt/kb-odd-${connection}`]);
      expect(errorsOf(ran)).toEqual([]);
      expect(ran.recap[0]).toMatchObject({ changed: 23 });
    }
  });

  it("busybox as sh, where each word is busybox's own", async () => {
    await sh("mount --bind /usr/bin/busybox /usr/bin/dash");
    try {
      const args = [PLAYBOOK, "-i", inventory("bb", { one: { ansible_host: ADDRESS } }), "-e", "folder=/opt/kb-bb"];
      const ran = await play(LAB, args);
      expect(errorsOf(ran)).toEqual([]);
      expect(ran.recap[0]).toMatchObject({ changed: 23 });
      expect((await play(LAB, args)).recap[0]).toMatchObject({ changed: 0, ok: 23 });
    } finally {
      // Without a shell, which would take its own umount.
      await exec(LAB, HOST, ["/usr/bin/umount", "--lazy", "/usr/bin/dash"]);
    }
  });

  it("a clock that is an hour off", async () => {
    const preload = (await sh("find /usr/lib -name libfaketimeMT.so.1")).trim();
    await sshd(2319, `SetEnv LD_PRELOAD=${preload} FAKETIME=+3600s`);
    const hosts = inventory("clock", { one: { ansible_host: ADDRESS, ansible_port: 2319 } });
    const args = [PLAYBOOK, "-i", hosts, "--known-hosts", known(), "-e", "folder=/opt/kb-clock"];
    const ran = await play(LAB, args);
    expect(errorsOf(ran)).toEqual([]);
    expect(ran.recap[0]).toMatchObject({ changed: 23 });
    const options = { knownHostsFiles: [known()] };
    const asked = await connectMany(LAB, {
      targets: [target("one", ADDRESS, { port: 2319 })],
      options,
      command: "date +%s",
    });
    expect(Number(asked.outcomes[0]?.stdout) - Date.now() / 1000).toBeGreaterThan(3_000);
  });

  it("su with root's password, once, and doas without one", async () => {
    await sh("echo root:su-secret-1 | chpasswd; echo 'permit nopass admin' >/etc/doas.conf");
    const become = (method: string, password?: string) => ({
      ...{ ansible_host: ADDRESS, ansible_user: "admin", ansible_become_method: method },
      ...(password === undefined ? {} : { ansible_become_password: password }),
    });
    const hosts = inventory("become", {
      su: become("su", "su-secret-1"),
      wrong: become("su", "wrong"),
      none: become("su"),
      doas: become("community.general.doas"),
    });
    const ran = await kb(LAB, ["ping", "-i", hosts]);
    expect(ran.stdout).toMatch(/ok +su .* root/);
    expect(ran.stdout).toMatch(/ok +doas .* root/);
    expect(ran.stdout).toMatch(/wrong: su refused the password/);
    expect(ran.stdout).toMatch(/none: su wants a password/);
    expect(ran.stdout + ran.stderr).not.toContain("su-secret-1");
  });

  it("a sudo that wants a terminal", async () => {
    await sh("echo 'Defaults requiretty' >/etc/sudoers.d/tty");
    try {
      for (const user of [
        { ansible_user: "admin" },
        { ansible_user: "deploy", ansible_become_password: deployPassword },
      ]) {
        const hosts = inventory("tty", { one: { ansible_host: ADDRESS, ...user } });
        const ran = await play(LAB, [PLAYBOOK, "-i", hosts, "-e", `folder=/opt/kb-tty-${user.ansible_user}`]);
        expect(errorsOf(ran)).toEqual([]);
        expect(ran.recap[0]).toMatchObject({ changed: 23 });
      }
    } finally {
      await sh("rm /etc/sudoers.d/tty");
    }
  });
});

describe("broken links", () => {
  const config = (): string =>
    file("config", "Host *\n  ServerAliveInterval 2\n  ServerAliveCountMax 2\n  ConnectTimeout 3\n");

  it.each(["ssh", "openssh"])("%s: a network that is cut is told within the keepalive's bound", async (connection) => {
    const hosts = inventory("cut", { one: { ansible_host: ADDRESS } });
    const running = startKb(LAB, [
      "play",
      PLAYBOOK,
      "-i",
      hosts,
      "--ssh-config",
      config(),
      "-c",
      connection,
      "-e",
      `folder=/opt/kb-cut-${connection}`,
      "-e",
      "sleepSeconds=300",
      "--json",
    ]);
    await running.told('"working');
    await partition(LAB, CONTROLLER, HOST);
    try {
      const started = performance.now();
      const ran = await running.done;
      expect(performance.now() - started).toBeLessThan(30_000);
      expect(errorsOf(ran)[0]?.message).toMatch(
        connection === "ssh" ? /lost: no sign of life for 6 s/ : /lost: .*(not responding|Broken pipe|reset)/,
      );
      if (connection === "openssh") return;
      const unreachable = await kb(LAB, ["ping", "-i", hosts, "--ssh-config", config(), "-c", connection]);
      expect(unreachable.exitCode).toBe(4);
    } finally {
      await heal(LAB);
      // The host does not know yet that nobody is there; until it does, its lock is held.
      await sh("ss -K state established sport = :22 >/dev/null; pkill -x sleep || true");
    }
  });

  it("a connection that is reset is told at once, and the next run goes on", async () => {
    const hosts = inventory("reset", { one: { ansible_host: ADDRESS } });
    const args = [PLAYBOOK, "-i", hosts, "-e", "folder=/opt/kb-reset"];
    const running = startKb(LAB, ["play", ...args, "-e", "sleepSeconds=300", "--json"]);
    await running.told('"working');
    await sh("ss -K state established sport = :22 >/dev/null; pkill -x sleep");
    const ran = await running.done;
    expect(errorsOf(ran)[0]).toMatchObject({
      message: expect.stringMatching(/connection was lost: /),
      hint: expect.stringMatching(/run the same command again/),
    });
    await expect.poll(async () => (await play(LAB, args)).exitCode, { timeout: 30_000, interval: 500 }).toBe(0);
  });

  it("a host that accepts and says nothing is given up in time", async () => {
    await sh("(socat TCP-LISTEN:2322,fork,reuseaddr EXEC:'sleep 60' >/dev/null 2>&1 &)");
    const options = { knownHostsFiles: [known()], timeoutMs: 1_500 };
    const { outcomes } = await connectMany(LAB, { targets: [target("mute", ADDRESS, { port: 2322 })], options });
    expect(outcomes[0]).toMatchObject({
      error: expect.stringMatching(/cannot log in/),
      detail: expect.stringMatching(/not over within 1\.5 s/),
    });
    expect(outcomes[0]?.ms).toBeLessThan(20_000);
    await sh("pkill -x socat || true");
  });
});
