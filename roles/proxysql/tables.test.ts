import { Secret } from "@keybuzz/runner";
import { describe, expect, it } from "vitest";
import { proxysqlParams } from "./params.ts";
import { galeraHostgroups, HOSTGROUPS, serverRows, userRows, variables } from "./tables.ts";

const params = proxysqlParams.parse({
  nodes: ["10.0.0.170", "10.0.0.171", "10.0.0.172"].map((address, index) => ({ name: `maria-0${index + 1}`, address })),
  credentials: {
    monitorPassword: "m",
    adminPassword: "a",
    healthPassword: "h",
    verifyPassword: "v",
    appUser: "erpnext",
    appPassword: "e",
  },
});

describe("servers", () => {
  it("are all declared as writers, with weights that differ, the first the heaviest", () => {
    expect(serverRows(params).map(({ hostgroup_id, hostname, weight }) => [hostgroup_id, hostname, weight])).toEqual([
      [10, "10.0.0.170", 1000],
      [10, "10.0.0.171", 500],
      [10, "10.0.0.172", 250],
    ]);
  });

  it("stay apart with many nodes", () => {
    const nodes = Array.from({ length: 9 }, (_, n) => ({ name: `n${n}`, address: `10.0.0.${n + 1}` }));
    const weights = serverRows({ ...params, nodes }).map(({ weight }) => weight);
    expect(new Set(weights).size).toBe(9);
  });
});

it("has four distinct hostgroups and one writer", () => {
  expect(new Set(Object.values(HOSTGROUPS)).size).toBe(4);
  expect(galeraHostgroups()[0]).toMatchObject({ max_writers: 1, writer_is_also_reader: 2 });
});

it("sends the application to the writer, and readers only when asked for", () => {
  expect(userRows(params).map(({ username, default_hostgroup }) => [username, default_hostgroup])).toEqual([
    ["erpnext", 10],
    ["keybuzz_health", 10],
    ["keybuzz_verify", 10],
  ]);
  const readerUser = { name: "bi", password: new Secret("r") };
  expect(userRows({ ...params, readerUser }).at(-1)).toMatchObject({ username: "bi", default_hostgroup: 30 });
});

it("keeps the keepalive of checks below their limits", () => {
  const set = variables(params);
  expect(set["mysql-connect_timeout_server"]).toBeLessThanOrEqual(set["mysql-connect_timeout_server_max"]);
  expect(String(set["mysql-monitor_password"])).toBe("<secret>");
});
