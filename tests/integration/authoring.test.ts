import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FIXTURES, type KbOptions, runKb } from "../support/run-kb.ts";

const LAB = ["-n", "authoring"];
const INVENTORY = ["-i", join(FIXTURES, "authoring.yml")];

beforeAll(async () => {
  expect(await runKb(["lab", "up", ...LAB, ...INVENTORY], { timeoutMs: 300_000 })).toMatchObject({ code: 0 });
});

afterAll(async () => {
  expect((await runKb(["lab", "down", ...LAB])).code).toBe(0);
});

/** Runs kb where the lab's host can be reached. */
function kb(argv: readonly string[], options: KbOptions = {}) {
  const onItsOwn = { env: { KB_LOCK_FOLDER: "/run/lock" }, timeoutMs: 120_000, ...options };
  return runKb(["lab", "run", ...LAB, "--", "kb", ...argv], onItsOwn);
}

async function onHost(script: string): Promise<string> {
  return (await runKb(["lab", "ssh", ...LAB, "web-01", "--", script])).stdout.trim();
}

it("kb console holds one connection, asks and checks over it, and changes the host once confirmed", async () => {
  const logins = "journalctl -u ssh -o cat | grep -c '^Accepted publickey for admin'; true";
  const before = Number(await onHost(logins));
  const { code, stdout, stderr } = await kb(["console", "web-01", ...INVENTORY], {
    input: `const wanted = [
  file({ path: "/etc/kb-console.conf", content: "a = 1\\n" }),
  service({ name: "kb-console-no-such.socket", state: "stopped" }),
].slice(0, 1)
(await probe(sh\`id -un\`)).stdout.trim()
await ensure(wanted)
await probe(sh\`test ! -e /etc/kb-console.conf\`)
.apply on
web-01
await ensure(wanted)
await ensure(wanted)
`,
  });
  expect(stderr).toBe("");
  expect(stdout.split("\n").filter((line) => !line.startsWith(" "))).toEqual([
    "'root'",
    "would change web-01  file /etc/kb-console.conf",
    "1 would change",
    "(exit code 0)",
    "ensure changes the host",
    "changed      web-01  file /etc/kb-console.conf",
    "1 changed",
    "ok           web-01  file /etc/kb-console.conf",
    "1 ok",
    "",
  ]);
  expect(code).toBe(0);
  expect(Number(await onHost(logins)) - before).toBe(1);
  expect(await onHost("cat /etc/kb-console.conf")).toBe("a = 1");
});

it("kb do brings a host in line with one task, and runs a plain command", async () => {
  const params = ["name=vm.swappiness", "value=7", "sysctl_file=/etc/sysctl.d/kb-do.conf"];
  const task = ["do", "web", "sysctl", ...params, ...INVENTORY];
  const check = await kb([...task, "--check", "--exit-code"]);
  expect(check.stdout).toMatch(/^would change web-01 {2}sysctl vm\.swappiness/m);
  expect(check.code).toBe(3);
  expect((await kb(task)).stdout).toMatch(/^changed {6}web-01 {2}sysctl vm\.swappiness/m);
  expect((await kb([...task, "--check", "--exit-code"])).code).toBe(0);
  expect(await onHost("cat /proc/sys/vm/swappiness")).toBe("7");
  const plain = await kb(["do", "web", ...INVENTORY, "--", "hostname"]);
  expect(plain.stdout).toContain("note         web-01  exit code 0\n             web-01\n");
  expect(plain.code).toBe(0);
});
