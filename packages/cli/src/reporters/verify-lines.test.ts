import { expect, test } from "vitest";
import { hostsOf, type VerifyReport } from "../services/verify.ts";
import { eventfulRun } from "../testing/events.ts";
import { makePaint } from "./style.ts";
import { verifyLines } from "./verify-lines.ts";

const report = (events: Parameters<typeof hostsOf>[0]): VerifyReport => ({
  version: 1,
  playbook: "galera",
  inventory: "inventories/keybuzz.yml",
  startedAt: "2026-01-01T00:00:00.000Z",
  ms: 1234,
  exitCode: 1,
  hosts: hostsOf(events),
  error: undefined,
});

test("one line a host that is not as declared, the gravest first word, and a count where asked", () => {
  expect(verifyLines(report(eventfulRun("check")), makePaint(false), true)).toEqual([
    "drift        db1  2 tasks: file /etc/x (mode 0644 -> 0600, password <secret> -> <secret>, +label); service mariadb (cannot be known: its unit is not there yet)",
    "failed       db2  apt mariadb-server: failed with exit code 100",
    "unreachable  db3  cannot connect to 10.0.0.9:22",
    "galera: 3 tasks on 3 hosts in 1.2 s: 1 drift, 1 failed, 1 unreachable",
  ]);
});

test("nothing where all are as declared", () => {
  const counts = { changed: 0, unknown: 0, skipped: 1, failed: 0, rescued: 0, ignored: 0, roundTrips: 1 };
  const recap = [{ host: "db1", ok: 7, unreachable: false, ...counts }];
  const calm = report([{ type: "run-end", exitCode: 0, ms: 900, recap }]);
  expect(verifyLines(calm, makePaint(false), false)).toEqual([]);
  expect(verifyLines(calm, makePaint(false), true)).toEqual(["galera: 7 tasks on 1 host in 1.2 s: 1 as declared"]);
});

test("secrets are masked, and errors are objects, in the document", () => {
  const document = JSON.parse(JSON.stringify(report(eventfulRun("check")))) as VerifyReport;
  expect(document.hosts.map(({ host, status, ok }) => [host, status, ok])).toEqual([
    ["db1", "drift", 1],
    ["db2", "failed", 0],
    ["db3", "unreachable", 0],
  ]);
  expect(document.hosts[0]?.drift[0]?.changes).toContainEqual({
    path: "password",
    before: "<secret>",
    after: "<secret>",
  });
  expect(document.hosts[2]?.error).toMatchObject({ code: "connect", host: "db3" });
});
