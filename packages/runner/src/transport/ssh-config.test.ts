import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Asked, SshConfig } from "./ssh-config.ts";
import { saysSomething } from "./ssh-config-text.ts";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-ssh-config-"));
  file = join(folder, "config");
  mkdirSync(join(folder, "more.d"));
  writeFileSync(join(folder, "more.d", "10.conf"), "Host included\n  Port 2201\n");
  writeFileSync(
    file,
    `# first match wins
Include ${folder}/more.d/*.conf
Host db-*
  HostName %h.internal
  User admin
  Port 2222
  IdentityFile ~/.ssh/db_key
  IdentityFile ${folder}/%r@%h
  IdentitiesOnly yes
  ProxyJump ops@jump:2022,second
  HostKeyAlias db
  UserKnownHostsFile ${folder}/a ${folder}/b
  StrictHostKeyChecking accept-new
  ConnectTimeout 7
  ServerAliveInterval 5
  ServerAliveCountMax 2
Host jump second
  User hopper
  ProxyJump none
Match host piped
  ProxyCommand nc %h %p
Match originalhost typed user deploy
  Port 2020
Host own
  User ${userInfo().username}
Host *
  StrictHostKeyChecking no
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (host: string, more: Partial<Asked> & { program?: string | undefined } = {}) => {
  const { program, ...asked } = more;
  return new SshConfig({ configFile: file, program }).settingsOf({ host, args: [], ...asked });
};

describe.each([
  ["ssh -G", undefined],
  ["the fallback, without an ssh", "no-such-program"],
])("%s", (_name, program) => {
  it("reads what a host's sections say", async () => {
    expect(await ask("db-1", { program })).toMatchObject({
      host: "db-1.internal",
      port: 2222,
      user: "admin",
      identityFiles: [join(homedir(), ".ssh/db_key"), join(folder, "admin@db-1.internal")],
      identitiesOnly: true,
      proxyJump: "ops@jump:2022,second",
      hostKeyAlias: "db",
      knownHostsFiles: expect.arrayContaining([join(folder, "a"), join(folder, "b")]),
      hostKeys: "accept-new",
      connectTimeoutMs: 7000,
      keepalive: { intervalMs: 5000, countMax: 2 },
    });
    expect(await ask("included", { program })).toMatchObject({ port: 2201, hostKeys: "off" });
    expect(await ask("second", { program })).toMatchObject({ user: "hopper", proxyJump: undefined });
    expect(await ask("piped", { program })).toMatchObject({ proxyCommand: "nc %h %p" });
  });

  it("puts the inventory's words first, ssh arguments among them", async () => {
    const args = ["-o", "ProxyJump=other", "-oHostKeyAlias=alias", "-i", file];
    expect(await ask("db-1", { program, user: "root", port: 22, args })).toMatchObject({
      port: 22,
      user: "root",
      proxyJump: "other",
      hostKeyAlias: "alias",
    });
    expect((await ask("db-1", { program, args })).identityFiles).toContain(file);
    expect((await ask("plain", { program, args: ["-J", "a,b"] })).proxyJump).toBe("a,b");
  });

  it("knows a user that is named from one that ssh makes up", async () => {
    expect((await ask("plain", { program })).user).toBeUndefined();
    expect((await ask("own", { program })).user).toBe(userInfo().username);
  });

  it("leaves default keys, timers and algorithms to their defaults", async () => {
    const plain = await ask("plain", { program });
    expect(plain.identityFiles).toBeUndefined();
    expect(plain.connectTimeoutMs).toBeUndefined();
    expect(plain.keepalive).toEqual({ intervalMs: 15_000, countMax: 3 });
  });
});

it("matches users as ssh does", async () => {
  expect((await ask("typed", { user: "deploy" })).port).toBe(2020);
  expect((await ask("typed", { user: "root" })).port).toBe(22);
});

it("the fallback runs nothing that Match exec names, and refuses what it cannot tell", async () => {
  const touched = join(folder, "touched");
  const hostile = join(folder, "hostile");
  writeFileSync(hostile, `Match exec "touch ${touched}"\n  Port 1\nHost x\n  Port 2\n`);
  const asked = { host: "x", args: [] };
  const without = new SshConfig({ configFile: hostile, program: "no-such-program" });
  expect(await without.settingsOf(asked)).toMatchObject({ port: 2 });
  expect(existsSync(touched)).toBe(false);
  writeFileSync(hostile, `Host x\n  Include ${folder}/more.d/*.conf\n  Port 2\n`);
  const partial = new SshConfig({ configFile: hostile, program: "no-such-program" });
  await expect(partial.settingsOf(asked)).rejects.toThrow(/for some hosts only/);
  expect(await new SshConfig({ configFile: hostile }).settingsOf(asked)).toMatchObject({ port: 2 });
});

it("tells an error in the configuration, with ssh's own words", async () => {
  const broken = join(folder, "broken");
  writeFileSync(broken, "Port 22\nNoSuchOption yes\n");
  await expect(new SshConfig({ configFile: broken }).settingsOf({ host: "x", args: [] })).rejects.toMatchObject({
    detail: expect.stringMatching(/nosuchoption/i),
  });
});

it("starts no ssh for a configuration that says nothing of connections", () => {
  const stock = "Include /etc/ssh/ssh_config.d/*.conf\nHost *\n  SendEnv LANG LC_*\n  HashKnownHosts yes\n";
  expect(saysSomething({ text: stock, partial: false })).toBe(false);
  // What is not on the list must not change what ssh would do: the oracle agrees on a stock configuration.
  const stockFile = join(folder, "stock");
  writeFileSync(stockFile, stock);
  const told = execFileSync("ssh", ["-F", stockFile, "-G", "x"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(told).toBe(
    execFileSync("ssh", ["-F", "none", "-o", "HashKnownHosts=yes", "-o", "SendEnv=LANG LC_*", "-G", "x"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  expect(saysSomething({ text: "Host a\n\tproxyjump=b", partial: false })).toBe(true);
});
