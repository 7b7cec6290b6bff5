import { ApplyError, ConnectError, type RunEvent, Secret, type TaskResult } from "@keybuzz/runner";

/** The result of one task, as the engine reports it. */
export function result(given: Partial<TaskResult> & Pick<TaskResult, "host" | "task">): TaskResult {
  return { module: "file", id: "/etc/x", outcome: "ok", changes: [], ms: 0, ...given };
}

/** A run with everything in it: all outcomes, a diff, a secret, output, a note, a table, a failed and a lost host. */
export function eventfulRun(mode: "check" | "apply"): readonly RunEvent[] {
  const failure = new ApplyError("failed with exit code 100", {
    host: "db2",
    task: "apt mariadb-server",
    where: "roles/galera/role.ts:41",
    detail: "E: Unable to locate package mariadb-server\n\x1b[2Jchanged      db2  forged",
    hint: "kb module show apt",
  });
  const lost = new ConnectError("cannot connect to 10.0.0.9:22", { host: "db3", detail: "no answer within 15 s" });
  const changes = [
    { path: "mode", before: "0644", after: "0600" },
    { path: "password", before: new Secret("old"), after: new Secret("new") },
    { path: "label", before: undefined, after: "data" },
  ];
  const counts = {
    ok: 0,
    changed: 0,
    unknown: 0,
    skipped: 0,
    failed: 0,
    rescued: 0,
    ignored: 0,
    unreachable: false,
    roundTrips: 3,
  };
  return [
    { type: "run-start", version: 1, playbook: "galera", mode, hosts: ["db1", "db2", "db3"] },
    { type: "phase", name: "storage", hosts: [] },
    { type: "host-connected", host: "db1", ms: 63.2 },
    { type: "host-connected", host: "db2", ms: 65.9 },
    { type: "host-unreachable", host: "db3", error: lost },
    { type: "task-end", result: result({ host: "db1", task: "file /etc/a" }) },
    { type: "task-start", host: "db1", task: "file /etc/x" },
    { type: "output", host: "db1", task: "file /etc/x", text: "half a li" },
    { type: "output", host: "db1", task: "file /etc/x", text: "ne\nand a rest" },
    {
      type: "task-end",
      result: result({
        host: "db1",
        task: "file /etc/x",
        outcome: "changed",
        changes,
        textDiff: "--- /etc/x\n+++ /etc/x\n@@ -1,1 +1,1 @@\n-old\n+new\n",
        ms: 2340,
      }),
    },
    {
      type: "task-end",
      result: result({ host: "db1", task: "service mariadb", outcome: "unknown", reason: "its unit is not there yet" }),
    },
    { type: "task-end", result: result({ host: "db1", task: "wait_for 3306", outcome: "skipped", reason: "later" }) },
    { type: "task-end", result: result({ host: "db2", task: "apt mariadb-server", outcome: "failed", reason: "..." }) },
    { type: "host-failed", host: "db2", error: failure },
    { type: "note", level: "warn", text: "two of three are left", host: "db1" },
    {
      type: "table",
      title: "members",
      columns: ["host", "state"],
      rows: [
        { cells: ["db1", "Synced"], status: "ok" },
        { cells: ["db2", "\x1b[2J"], status: "failed" },
      ],
    },
    {
      type: "run-end",
      exitCode: 1,
      ms: 65_400,
      recap: [
        { host: "db1", ...counts, ok: 1, changed: 1, unknown: 1, skipped: 1 },
        { host: "db2", ...counts, failed: 1 },
        { host: "db3", ...counts, unreachable: true },
      ],
    },
  ];
}
