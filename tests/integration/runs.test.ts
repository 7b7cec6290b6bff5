import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { down, exec, up } from "@keybuzz/lab";
import { eventSchema } from "@keybuzz/runner/durable";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { errorsOf, having, type KbOptions, kb, type Ran, startKb } from "../support/kb.ts";

const LAB = "runs";
const HOST = "run-01";
const PLAYBOOK = resolve(import.meta.dirname, "../fixtures/runs.ts");
const CANARY = "canary-runs-4711";
let cwd: string;

beforeAll(async () => {
  await down(LAB);
  await up({ name: LAB, hosts: [{ name: HOST, address: "10.9.3.11" }] }, { onStep: () => {} });
});
afterAll(async () => {
  await down(LAB);
});
beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), "kb-runs-"));
  inventory({});
  await on("rm -rf /srv/runs /srv/broken");
  return () => rmSync(cwd, { recursive: true, force: true });
});

async function on(script: string): Promise<string> {
  const { code, stdout, stderr } = await exec(LAB, HOST, ["sh", "-c", script]);
  if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr}`);
  return stdout;
}

function inventory(vars: Readonly<Record<string, string>>): void {
  const hosts = { [HOST]: { ansible_host: "10.9.3.11", ...vars } };
  writeFileSync(join(cwd, "hosts.yml"), JSON.stringify({ all: { hosts } }));
}

const run = (args: readonly string[], options: KbOptions = {}): Promise<Ran> => kb(LAB, args, { cwd, ...options });
const play = (...flags: readonly string[]) => run(["play", PLAYBOOK, "-i", "hosts.yml", "--json", ...flags]);
const start = (...flags: readonly string[]) =>
  startKb(LAB, ["play", PLAYBOOK, "-i", "hosts.yml", "--json", ...flags], { cwd });
const plan = (...flags: readonly string[]) => run(["plan", PLAYBOOK, "-i", "hosts.yml", "-o", "plan.json", ...flags]);

/** What the host was doing comes to an end, and frees its lock. */
const settled = () => on("until flock -w 30 -E 9 /run/lock/keybuzz.lock true; do sleep 0.2; done");

async function document(args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await run(args);
  if (!stdout.startsWith("{")) throw new Error(`kb ${args.join(" ")}: ${stderr}`);
  return JSON.parse(stdout);
}

describe("a run that is killed in the midst", () => {
  it("has left a journal that says so, streams what its host says, and is resumed from where it was", async () => {
    const killed = start("-e", "slowS=1", "-e", `password=${CANARY}`);
    await killed.told("line 2 of é");
    killed.child.kill("SIGKILL");
    await killed.done;

    const shown = await document(["runs", "show", "--json"]);
    expect(shown).toMatchObject({
      state: "died",
      ended: "killed",
      exitCode: null,
      why: expect.stringContaining(`${HOST} was at command for n in 1 2 3 4 5`),
      hosts: [{ host: HOST, outcome: "unfinished" }],
      record: { params: { slowS: "1" }, secretParams: ["password"] },
    });
    const folder = join(cwd, ".kb/runs", String(shown["id"]));
    const events = readFileSync(join(folder, "events.ndjson"), "utf8").trimEnd().split("\n");
    expect(events.map((line) => eventSchema.safeParse(JSON.parse(line)).success)).not.toContain(false);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);

    await settled();
    const without = await run(["resume", "last", "--json"]);
    expect([without.exitCode, errorsOf(without)[0]?.message]).toEqual([
      2,
      "the secret param password is needed, and the run does not hold it",
    ]);
    inventory({ site: "elsewhere" });
    const moved = await run(["resume", "last", "--json", "-e", `password=${CANARY}`]);
    expect([moved.exitCode, errorsOf(moved)[0]?.detail]).toEqual([2, `inventory: ${HOST}, in hosts.yml`]);

    const resumed = await run(["resume", "last", "--anyway", "--json", "-e", `password=${CANARY}`]);
    expect(resumed.exitCode).toBe(0);
    expect(having(resumed, "ok")).toContain(`${HOST}: file /srv/runs/first`);
    expect(having(resumed, "changed")).toContain(`${HOST}: file /srv/runs/third`);
    expect(await on("cat /srv/runs/secret")).toBe(CANARY);
    expect(await document(["runs", "show", "--json"])).toMatchObject({ ended: "converged", resumes: shown["id"] });
    for (const file of readdirSync(cwd, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), "utf8")).not.toContain(CANARY);
    }
  });

  it("after a failure that was mended is resumed too, and then there is nothing left to resume", async () => {
    await on("touch /srv/broken");
    const failed = await play();
    expect(failed.exitCode).toBe(1);
    expect(errorsOf(failed)[0]).toMatchObject({
      host: HOST,
      where: expect.stringMatching(/fixtures\/runs\.ts:\d+$/),
      message: "failed with exit code 9",
      detail: expect.stringMatching(/^it ran: if \[ -e \/srv\/broken \][\s\S]*no space left on device$/),
      hint: expect.stringMatching(/./),
    });
    const shown = await run(["runs", "show"]);
    expect(shown.stdout).toMatch(/^ended: run-01 failed: failed with exit code 9 at command/m);
    await on("rm /srv/broken");
    const resumed = await run(["resume", "last", "--json"]);
    expect(having(resumed, "changed")).toHaveLength(2);
    const again = await run(["resume", "last"]);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("nothing is left to do")]);
    expect((await run(["runs"])).stdout.trimEnd().split("\n")).toHaveLength(3);
  });
});

describe("a plan", () => {
  it("is carried out exactly, and holds no secret", async () => {
    const made = await plan("-e", `password=${CANARY}`);
    expect(made.exitCode).toBe(0);
    expect(statSync(join(cwd, "plan.json")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(cwd, "plan.json"), "utf8")).not.toContain(CANARY);
    const shown = await run(["plan", "show", "plan.json"]);
    expect(shown.stdout).toContain(`would change ${HOST}  file /srv/runs/third`);
    const wrong = await run(["apply", "plan.json", "--json", "-e", "password=another"]);
    expect(errorsOf(wrong)[0]).toMatchObject({ code: "refused", task: "file /srv/runs/secret" });
    const applied = await run(["apply", "plan.json", "--json", "-e", `password=${CANARY}`]);
    expect(applied.exitCode).toBe(0);
    expect(having(applied, "changed")).toHaveLength(6);
    expect(having(await play("-e", `password=${CANARY}`), "changed")).toEqual([]);
  });

  it("is refused before anything is changed where the host has changed since, by host, task and difference", async () => {
    await plan();
    await on("mkdir /srv/runs && echo drift >/srv/runs/third && chmod 0640 /srv/runs/third");
    const refused = await run(["apply", "plan.json", "--json"]);
    expect(refused.exitCode).toBe(1);
    expect(errorsOf(refused)[0]).toMatchObject({ code: "refused", host: HOST, task: "directory /srv/runs" });
    expect(errorsOf(refused)[0]?.detail).toContain(`${HOST}  file /srv/runs/third: it exists now`);
    expect(await on("ls /srv/runs")).toBe("third\n");

    await plan();
    await on("chmod 0666 /srv/runs/third");
    const drifted = await run(["apply", "plan.json", "--json"]);
    expect(errorsOf(drifted)[0]).toMatchObject({ task: "file /srv/runs/third", message: /mode is now "0666"/ });
    expect(await on("ls /srv/runs")).toBe("third\n");
  });
});

describe("two operators at one host", () => {
  it("exclude each other: the second is told who holds it and for how long", async () => {
    const first = start("-e", "slowS=1");
    await first.told("line 1 of é");
    const second = await play();
    expect(errorsOf(second)[0]).toMatchObject({
      code: "locked",
      detail: expect.stringMatching(
        /^held for \d+ s by \S+@\S+ \(process \d+, since 20\S+Z\); its last sign of life: \d+ s/,
      ),
    });
    expect((await first.done).exitCode).toBe(0);
  });

  it("are not held up by one whose controller has vanished: its lock is broken after the time to live, with a note", async () => {
    const first = start("-e", "idleMs=120000");
    await first.told('"name":"second"');
    first.child.kill("SIGSTOP");
    try {
      expect(errorsOf(await play())[0]?.code).toBe("locked");
      const second = await eventually("broken lock", 20_000, async () => {
        const ran = await run(["play", PLAYBOOK, "-i", "hosts.yml", "--json"], { env: { KB_LOCK_TTL: "1" } });
        expect(ran.exitCode).toBe(0);
        return ran;
      });
      const notes = second.events.filter(({ type }) => type === "note").map(({ text }) => text);
      expect(notes).toContainEqual(
        expect.stringMatching(/^broke the lock of \S+@\S+ .*gave no sign of life for \d+ s/),
      );
    } finally {
      first.child.kill("SIGKILL");
      await first.done;
    }
  });
});

it("kb verify tells drift by its exit code, one line a host, or one document", async () => {
  const verify = (...flags: readonly string[]) => run(["verify", PLAYBOOK, "-i", "hosts.yml", ...flags]);
  await play();
  expect(await verify()).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  await on("echo x >>/srv/runs/first; chmod 0600 /srv/runs/third");
  const drift = await verify();
  expect(drift.exitCode).toBe(3);
  expect(drift.stdout).toMatch(
    /^drift {8}run-01 {2}2 tasks: file \/srv\/runs\/first \(sha256 .*; file \/srv\/runs\/third \(mode 0600 -> 0644\)\n$/,
  );
  expect(await document(["verify", PLAYBOOK, "-i", "hosts.yml", "--json"])).toMatchObject({
    version: 1,
    exitCode: 3,
    hosts: [
      {
        host: HOST,
        status: "drift",
        ok: 4,
        drift: [
          { task: "file /srv/runs/first" },
          { task: "file /srv/runs/third", changes: [{ path: "mode", after: "0644" }] },
        ],
      },
    ],
  });
  inventory({ ansible_port: "2222" });
  const lost = await verify();
  expect([lost.exitCode, lost.stdout]).toEqual([4, expect.stringMatching(/^unreachable {2}run-01 {2}cannot connect/)]);
  expect(readdirSync(join(cwd, ".kb/runs"))).toHaveLength(1);
});
