import { expect, test } from "vitest";
import { eventfulRun } from "../testing/events.ts";
import { ndjsonReporter } from "./ndjson.ts";

const written: string[] = [];
const reporter = ndjsonReporter({ write: (text) => written.push(text) });
for (const event of eventfulRun("apply")) reporter.emit(event);

test("every event is one line of JSON", () => {
  expect(written.length).toBe(eventfulRun("apply").length);
  expect(written.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
});

test("errors are objects, secrets are masked, and a terminal finds nothing to obey", () => {
  const events = written.map((line): unknown => JSON.parse(line));
  expect(events).toContainEqual({
    type: "host-failed",
    host: "db2",
    error: {
      code: "apply",
      message: "failed with exit code 100",
      detail: "E: Unable to locate package mariadb-server\n\x1b[2Jchanged      db2  forged",
      hint: "kb module show apt",
      host: "db2",
      task: "apt mariadb-server",
      where: "roles/galera/role.ts:41",
    },
  });
  expect(written.join("")).toContain('{"path":"password","before":"<secret>","after":"<secret>"}');
  expect(written.join("")).not.toContain("\x1b");
});
