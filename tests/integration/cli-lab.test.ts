import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FIXTURES, runKb } from "../support/run-kb.ts";

const LAB = ["-n", "clilab"];
const INVENTORY = ["-i", join(FIXTURES, "lab.yml")];

beforeAll(async () => {
  const { code, stdout, stderr } = await runKb(["lab", "up", ...LAB, ...INVENTORY], { timeoutMs: 300_000 });
  expect(stderr).toMatch(/ms {2}network 10\.0\.0\.0\/\d+, controller at 10\.0\.0\.1$/m);
  expect(stdout).toMatch(/^ {2}db-01 {2}10\.0\.0\.11 {2}reachable$/m);
  expect(code).toBe(0);
});

afterAll(async () => {
  expect((await runKb(["lab", "down", ...LAB])).code).toBe(0);
  expect((await runKb(["lab", "status", ...LAB])).code).toBe(2);
});

it("boots an inventory's hosts at their addresses, with their disks", async () => {
  const { stdout } = await runKb(["lab", "status", ...LAB, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ name: "clilab", hosts: [{ name: "db-01" }, { name: "db-02" }, {}] });
  const disk = await runKb(["lab", "ssh", ...LAB, "db-01", "--", "blockdev", "--getsize64", "/dev/sdb"]);
  expect(disk).toMatchObject({ code: 0, stdout: `${4096 * 1024 ** 2}\n` });
});

it("kb in the lab reaches its hosts, as root after sudo, and tells which it cannot", async () => {
  const { code, stdout } = await runKb(["lab", "run", ...LAB, "--", "kb", "ping", ...INVENTORY]);
  expect(stdout).toMatch(/^ {2}ok {2}db-01 {2}10\.0\.0\.11 {2}\d+ ms +root {2}Debian GNU\/Linux 13/m);
  expect(stdout).toMatch(/^ {2}ok {2}db-02 {2}10\.0\.0\.12 {2}\d+ ms +root {2}Debian GNU\/Linux 13/m);
  expect(stdout).toContain(
    "unreachable  away: cannot connect to 10.0.0.13:2222\n               | connect ECONNREFUSED",
  );
  expect(code).toBe(4);
});

it("gives back the exit code of what it ran", async () => {
  expect((await runKb(["lab", "run", ...LAB, "--", "sh", "-c", "exit 7"])).code).toBe(7);
  expect((await runKb(["lab", "ssh", ...LAB, "nobody", "--", "true"])).code).toBe(2);
});

it("refuses hosts whose keys are not the lab's", async () => {
  const argv = ["lab", "run", ...LAB, "--", "kb", "ping", "db-01", ...INVENTORY, "--known-hosts", "/dev/null"];
  const { code, stdout } = await runKb(argv);
  expect(stdout).toContain("unreachable  db-01: the host key of 10.0.0.11 is unknown\n");
  expect(code).toBe(4);
});
