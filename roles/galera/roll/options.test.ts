import { describe, expect, it } from "vitest";
import { changedOptions, planOptions, type Variable } from "./options.ts";

const file = (...lines: readonly string[]): string =>
  ["# Written by kb", "[mariadbd]", ...lines, "", "[sst]", "cpat = x", ""].join("\n");

describe("changedOptions", () => {
  it.each<[string, string, string, readonly [string, string | undefined][]]>([
    ["nothing", file("a = 1"), file("a = 1"), []],
    ["comments, blanks, quotes and order", file("a=1", "b = '2'"), file('b = "2"', "# why", "a = 1"), []],
    ["a dash for an underscore", file("max-connections = 9"), file("max_connections = 9"), []],
    ["a value", file("a = 1", "b = 2"), file("a = 3", "b = 2"), [["a", "3"]]],
    [
      "a new option, and one that goes",
      file("a = 1"),
      file("b = 2"),
      [
        ["a", undefined],
        ["b", "2"],
      ],
    ],
    ["a switch without a value", file(), file("skip_name_resolve"), [["skip_name_resolve", "ON"]]],
    ["a value that holds an equals sign", file('o = "a=1;b=2"'), file('o = "a=1;b=3"'), [["o", "a=1;b=3"]]],
    ["only what the server reads", file("a = 1"), `${file("a = 1")}cpat = y\n[client]\nb = 1\n`, []],
  ])("finds %s", (_what, before, after, changes) => {
    expect(changedOptions(before, after).map(({ name, value }) => [name, value])).toEqual(changes);
  });
});

describe("planOptions", () => {
  const variable = (value: string, readOnly = false): Variable => ({ value, readOnly });
  const variables = new Map([
    ["max_connections", variable("1050")],
    ["wsrep_slave_threads", variable("8")],
    ["log_bin", variable("ON", true)],
    ["server_id", variable("1")],
    ["innodb_buffer_pool_size", variable("268435456")],
    ["innodb_buffer_pool_size_max", variable("268435456", true)],
  ]);

  it.each<[string, Record<string, string | undefined>, object]>([
    ["nothing", {}, { set: {}, restart: [] }],
    [
      "what the server calls dynamic",
      { max_connections: "500", wsrep_slave_threads: "4" },
      { set: { max_connections: 500, wsrep_slave_threads: 4 }, restart: [] },
    ],
    [
      "what it calls read only, which brings in the rest",
      { max_connections: "500", log_bin: "other" },
      { set: {}, restart: ["log_bin"] },
    ],
    ["what it does not know", { plugin_load_add: "x" }, { set: {}, restart: ["plugin_load_add"] }],
    [
      "what goes, since the default is the server's",
      { max_connections: undefined },
      { set: {}, restart: ["max_connections"] },
    ],
    ["what must be the same on all members", { server_id: "2" }, { set: {}, restart: ["server_id"] }],
    [
      "a smaller buffer pool",
      { innodb_buffer_pool_size: "128M" },
      { set: { innodb_buffer_pool_size: "128M" }, restart: [] },
    ],
    [
      "a buffer pool beyond what was foreseen",
      { innodb_buffer_pool_size: "1G" },
      { set: {}, restart: ["innodb_buffer_pool_size"] },
    ],
  ])("sorts %s", (_what, changes, plan) => {
    const list = Object.entries(changes).map(([name, value]) => ({ name, value }));
    expect(planOptions(list, variables)).toEqual(plan);
  });
});
