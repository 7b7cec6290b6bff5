import { definePlaybook, rehearse } from "@keybuzz/runner";
import { localInventory } from "@keybuzz/runner/testing";
import { expect, it } from "vitest";
import { listenAddress } from "./listen-address.ts";
import { ExampleNameHost, exampleName } from "./role.ts";

it.each([
  ["192.0.2.11", "192.0.2.11:8080"],
  ["2001:db8::1", "[2001:db8::1]:8080"],
])("listens on %s as %s", (address, expected) => {
  expect(listenAddress(address, 8080)).toBe(expected);
});

it("declares its tasks for every host, without asking any", async () => {
  const playbook = definePlaybook({
    name: "trial",
    summary: "The role alone",
    groups: { all: ExampleNameHost },
    run: ({ all }) => exampleName(all, { title: "trial" }),
  });
  const { tasks, faults } = await rehearse(playbook, { inventory: localInventory(["web-01", "web-02"]) });
  expect(faults).toEqual([]);
  expect(tasks.map(({ host, task }) => `${host} ${task.module}`)).toEqual([
    ...["web-01 directory", "web-01 template"],
    ...["web-02 directory", "web-02 template"],
  ]);
});
