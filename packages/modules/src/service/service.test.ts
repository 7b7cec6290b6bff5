import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { service } from "./service.ts";

moduleSuite(service, import.meta.url);

describe("service", () => {
  it("adds .service where a name has no suffix of a unit", () => {
    expect(service({ name: "ssh" }).touches).toEqual(["unit:ssh.service"]);
    expect(service({ name: "getty@tty1" }).touches).toEqual(["unit:getty@tty1.service"]);
    expect(service({ name: "backup.timer" }).touches).toEqual(["unit:backup.timer"]);
    expect(service({ name: "dev-sdb.swap" }).id).toBe("dev-sdb.swap");
  });

  it("refuses a template without its instance, and what is no unit", () => {
    for (const name of ["getty@", "a b", "../x", ""]) expect(() => service({ name }), name).toThrow("bad params");
  });

  it("refuses to start what it masks", () => {
    expect(() => service({ name: "cron", masked: true, state: "started" })).toThrow("bad params");
  });

  it("asks for all units in one question of one kind", () => {
    const tasks = [service({ name: "ssh" }), service({ name: "cron", restartedAfter: ["/etc/crontab"] })];
    const batches = tasks.flatMap(({ probe }) =>
      probe.questions.map((question) => question.kind === "batch" && question.batch),
    );
    expect(new Set(batches).size).toBe(1);
  });
});
