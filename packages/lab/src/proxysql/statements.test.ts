import { expect, test } from "vitest";
import { normalise, parseMove } from "./statements.ts";

test.each([
  ["load  mysql servers TO run ;", { family: "MYSQL SERVERS", move: "memory to runtime" }],
  [" LOAD MYSQL USERS FROM MEMORY", { family: "MYSQL USERS", move: "memory to runtime" }],
  ["LOAD ADMIN VARIABLES TO MEMORY", { family: "ADMIN VARIABLES", move: "disk to memory" }],
  ["SAVE MYSQL QUERY RULES FROM RUNTIME", { family: "MYSQL QUERY RULES", move: "runtime to memory" }],
  ["SAVE SCHEDULER TO DISK", { family: "SCHEDULER", move: "memory to disk" }],
  ["LOAD PROXYSQL SERVERS FROM CONFIG", { family: "PROXYSQL SERVERS", move: "config to memory" }],
  ["LOAD MYSQL SERVER TO RUNTIME", null],
  ["LOAD MYSQL SERVERS TO RUNTIME -- x", null],
  ["SAVE MYSQL SERVERS TO CONFIG", null],
])("%s", (sql, expected) => {
  expect(parseMove(normalise(sql))).toEqual(expected);
});
