import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { down, exec, labEnvironment, up } from "@keybuzz/lab";
import { afterAll, beforeAll, expect, it } from "vitest";
import { errorsOf, having, play, startKb } from "../support/kb.ts";

const LAB = "engine";
const HOST = { name: "one", address: "10.7.9.11" };
const PLAYBOOK = "tests/fixtures/engine.ts";
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kb-engine-"));
  await down(LAB);
  await up({ name: LAB, hosts: [HOST] }, { onStep: () => {} });
});
afterAll(async () => {
  await down(LAB);
  rmSync(folder, { recursive: true, force: true });
});

async function sh(script: string): Promise<string> {
  const { code, stdout, stderr } = await exec(LAB, HOST.name, ["sh", "-c", script]);
  if (code !== 0) throw new Error(`${script}: ${code} ${stderr}`);
  return stdout;
}

function inventory(vars: Readonly<Record<string, unknown>> = {}): string {
  const file = join(folder, "hosts.yml");
  writeFileSync(file, JSON.stringify({ all: { hosts: { one: { ansible_host: HOST.address, ...vars } } } }));
  return file;
}

const part = (name: string, vars?: Readonly<Record<string, unknown>>): readonly string[] => [
  PLAYBOOK,
  ...["-i", inventory(vars), "-e", `part=${name}`],
];

it("edits of one file, one crontab, and a unit with its service cost two round trips a list, as check told", async () => {
  const checked = await play(LAB, [...part("edits"), "--check"]);
  const first = await play(LAB, part("edits"));
  expect(errorsOf(first)).toEqual([]);
  expect(first.recap[0]).toMatchObject({ failed: 0, roundTrips: 4 });
  expect(having(checked, "changed")).toEqual(having(first, "changed"));
  expect(await sh("cat /opt/kb-engine/lines.conf")).toBe("alpha=1\nbeta=1\ngamma=1\ndelta=1\nomega=1\n");
  expect(await sh("crontab -l | grep -c /bin/true")).toBe("3\n");
  const second = await play(LAB, part("edits"));
  expect(having(second, "changed")).toEqual([]);
  expect(second.recap[0]).toMatchObject({ roundTrips: 2 });
});

it("a job outlives kb, killed in its midst: the same command again waits for it, and it ran once", async () => {
  const running = startKb(LAB, ["play", ...part("job"), "--json"]);
  await running.told('"working');
  expect(await sh("systemctl list-units --no-legend --plain 'kb-*.service' | grep -c running")).not.toBe("0\n");
  expect(await sh("stat -c '%a %U' /run/keybuzz-jobs")).toBe("700 root\n");
  running.child.kill("SIGKILL");
  await running.done;
  const again = startKb(LAB, ["play", ...part("job"), "--json"]);
  await again.told('"working');
  // The connection is cut from the host's side, this time.
  await sh("for p in $(pgrep -f '[s]shd-session: root@notty'); do kill -KILL $p; done");
  expect((await again.done).exitCode).not.toBe(0);
  await sh(": >/opt/kb-job.go");
  const last = await play(LAB, part("job"));
  expect(errorsOf(last)).toEqual([]);
  expect(await sh("cat /opt/kb-job.log")).toBe("ran\n");
  expect(having(await play(LAB, part("job")), "changed")).toEqual([]);
});

it("another user of the host is had from root's shell, with one login and one sudo", async () => {
  const { KB_SSH_KEY = "" } = labEnvironment(LAB);
  const password = readFileSync(KB_SSH_KEY.replace(/ssh-key$/, "deploy-password"), "utf8").trim();
  const since = (await sh("date '+%F %T'; sleep 1.1")).trim();
  const vars = { ansible_user: "deploy", ansible_become_password: password };
  const ran = await play(LAB, part("user", vars));
  expect(errorsOf(ran)).toEqual([]);
  expect(await sh("cat /var/lib/kb-engine-user/who; stat -c '%a %U' /var/lib/kb-engine-user/who")).toBe(
    "kb-engine\n600 kb-engine\n",
  );
  const log = await sh(`sleep 1; journalctl -q --no-pager --since '${since}'`);
  expect(log.match(/Accepted publickey for deploy/g)).toHaveLength(1);
  expect(log.match(/sudo\[\d+\]: +deploy : /g)).toHaveLength(1);
  const alone = await play(LAB, part("user", { ansible_user: "deploy", ansible_become: false }));
  expect(errorsOf(alone)[0]).toMatchObject({ code: "become", message: expect.stringContaining("that of deploy") });
});

it("facts and a list made from them cost one round trip together", async () => {
  const first = await play(LAB, part("facts"));
  expect(errorsOf(first)).toEqual([]);
  expect(await sh("cat /opt/kb-facts")).toMatch(/^debian trixie one systemd-nspawn .*10\.7\.9\.11\/24/);
  const second = await play(LAB, part("facts", { ansible_user: "admin" }));
  expect(having(second, "changed")).toEqual([]);
  expect(second.recap[0]?.roundTrips).toBe(1);
});
