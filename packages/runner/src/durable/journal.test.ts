import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ApplyError } from "../errors.ts";
import type { RunEvent, TaskResult } from "../events.ts";
import { Secret } from "../secret.ts";
import { Journal, type RunStart } from "./journal.ts";
import { outcomeOfRun } from "./outcome-of-run.ts";
import { findRun, listRuns, pruneRuns, readEvents, readRecord, stateOf } from "./read-run.ts";
import { isRunId, newRunId } from "./run-id.ts";

let runs: string;
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "kb-runs-"));
});
afterEach(() => rmSync(runs, { recursive: true, force: true }));

function start(id: string = newRunId()): RunStart {
  return {
    id,
    command: "play",
    playbook: { name: "galera", file: "playbooks/galera.ts", sources: {} },
    inventory: { file: "inventories/keybuzz.yml", hosts: {} },
    key: "00",
    mode: "apply",
    diff: false,
    limit: null,
    select: null,
    forks: null,
    params: {},
    secretParams: [],
    connection: { hostKeys: "strict", askBecomePass: false },
    kbVersion: "0",
    commit: null,
    user: "operator",
    resumes: null,
    plan: null,
  };
}

const result = (given: Partial<TaskResult> & Pick<TaskResult, "host" | "task">): TaskResult => ({
  module: "file",
  id: "/etc/x",
  outcome: "ok",
  changes: [],
  ms: 0,
  ...given,
});

const error = new ApplyError("failed with exit code 1", {
  host: "db2",
  task: "apt x",
  where: "a.ts:1",
  detail: "E: no",
});
const counts = { ok: 0, changed: 0, unknown: 0, skipped: 0, failed: 0, rescued: 0, ignored: 0, roundTrips: 1 };
const changes = [
  { path: "password", before: undefined, after: new Secret("canary-77") },
  { path: "mode", before: "0644", after: "0600" },
];
const begun: readonly RunEvent[] = [
  { type: "run-start", version: 1, playbook: "galera", mode: "apply", hosts: ["db1", "db2"] },
  { type: "task-start", host: "db1", task: "file /etc/x" },
  { type: "task-end", result: result({ host: "db1", task: "file /etc/x", outcome: "changed", changes }) },
  { type: "task-start", host: "db2", task: "apt x" },
];
const ended: readonly RunEvent[] = [
  ...begun,
  { type: "task-end", result: result({ host: "db2", task: "apt x", outcome: "failed", reason: "no" }) },
  { type: "host-failed", host: "db2", error },
  {
    type: "run-end",
    exitCode: 1,
    ms: 10,
    recap: [
      { host: "db1", ...counts, changed: 1, unreachable: false },
      { host: "db2", ...counts, failed: 1, unreachable: false },
    ],
  },
];

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

async function written(events: readonly RunEvent[]): Promise<string> {
  const journal = Journal.open(runs, start());
  for (const event of events) journal.write(event);
  const end = events.at(-1);
  if (end?.type === "run-end") await journal.end(end.exitCode);
  return journal.id;
}

describe("a journal", () => {
  it("is for its owner alone, and gives back what was told, with secrets masked", async () => {
    const id = await written(ended);
    const folder = join(runs, id);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder)) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(folder, file), "utf8")).not.toContain("canary-77");
    }
    expect(asJson(readEvents(runs, id))).toEqual(asJson(ended));
    expect(readRecord(runs, id)).toMatchObject({ id, exitCode: 1, endedAt: expect.stringMatching(/Z$/) });
  });

  it("has each event on file before the next", () => {
    const journal = Journal.open(runs, start());
    for (const [index, event] of begun.entries()) {
      journal.write(event);
      expect(readEvents(runs, journal.id)).toHaveLength(index + 1);
    }
  });

  it("is read up to a torn last line, wherever it is torn", async () => {
    const id = await written(begun);
    const file = join(runs, id, "events.ndjson");
    const whole = readFileSync(file);
    const last = `${JSON.stringify({ at: "2026-01-01T00:00:00.000Z", ...ended[4] })}`;
    for (const length of [0, 1, 10, last.length - 1]) {
      writeFileSync(file, whole);
      appendFileSync(file, last.slice(0, length));
      expect(readEvents(runs, id)).toHaveLength(begun.length);
    }
  });

  it("passes over kinds of events that came later", async () => {
    const id = await written(begun);
    appendFileSync(join(runs, id, "events.ndjson"), '{"type":"from-the-future"}\n');
    expect(readEvents(runs, id)).toHaveLength(begun.length);
  });
});

describe("how a run ended", () => {
  it("is told by its events and its process", async () => {
    const id = await written(ended);
    expect(stateOf(readRecord(runs, id))).toBe("ended");
    expect(outcomeOfRun(readEvents(runs, id))).toMatchObject({
      complete: true,
      hosts: [
        { host: "db1", outcome: "done", changed: [{ task: "file /etc/x" }] },
        { host: "db2", outcome: "failed", error: { message: "failed with exit code 1" } },
      ],
    });
  });

  it("leaves every host unfinished where the process is gone, and says who was at what", async () => {
    const id = await written(begun);
    const record = readRecord(runs, id);
    expect(stateOf(record)).toBe("running");
    expect(stateOf({ ...record, process: { ...record.process, startTicks: "1" } })).toBe("died");
    expect(stateOf({ ...record, process: { ...record.process, pid: 2 ** 22 + 1 } })).toBe("died");
    expect(stateOf({ ...record, process: { ...record.process, host: "elsewhere" } })).toBe("unknown");
    expect(outcomeOfRun(readEvents(runs, id))).toMatchObject({
      complete: false,
      hosts: [
        { outcome: "unfinished", at: undefined },
        { outcome: "unfinished", at: "apt x" },
      ],
    });
  });

  it("has the controller apart from the hosts that it was for", () => {
    const own: RunEvent = { type: "task-end", result: result({ host: "controller", task: "file x" }) };
    expect(outcomeOfRun([...begun, own]).hosts.map(({ host, chosen }) => [host, chosen])).toEqual([
      ["db1", true],
      ["db2", true],
      ["controller", false],
    ]);
  });
});

describe("names of runs", () => {
  it("sort by time, and are found by a beginning that only one has", () => {
    const ids = ["2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.002Z", "2027-01-01T00:00:00.000Z"].map((time) =>
      newRunId(new Date(time)),
    );
    expect(ids.every(isRunId)).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) Journal.open(runs, start(id));
    expect(listRuns(runs)).toEqual(ids.toReversed());
    expect(findRun(runs, "last")).toBe(ids[2]);
    expect(findRun(runs, "2027")).toBe(ids[2]);
    expect(() => findRun(runs, "2026")).toThrow("several runs begin with 2026");
    expect(() => findRun(runs, "../../etc")).toThrow("there is no run ../../etc");
  });

  it("go, with the runs, beyond those that are kept, but for one that still goes on", async () => {
    const goesOn = await written(begun);
    const old = await written(ended);
    mkdirSync(join(runs, newRunId(new Date(0))));
    const young = [await written(ended), await written(ended)];
    pruneRuns(runs, 2);
    expect(listRuns(runs)).toEqual([...young.toReversed(), goesOn].toSorted().toReversed());
    expect(listRuns(runs)).not.toContain(old);
  });
});
