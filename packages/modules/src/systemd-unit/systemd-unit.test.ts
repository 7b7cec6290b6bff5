import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { systemdUnit } from "./systemd-unit.ts";

moduleSuite(systemdUnit, import.meta.url);

describe("systemd_unit", () => {
  it("touches the file that it writes", () => {
    expect(systemdUnit({ name: "x", content: "" }).touches).toEqual(["file:/etc/systemd/system/x.service"]);
    expect(systemdUnit({ name: "x.timer", dropin: "often", content: "" }).touches).toEqual([
      "file:/etc/systemd/system/x.timer.d/often.conf",
    ]);
  });

  it("needs a text for a file that is to be there", () => {
    expect(() => systemdUnit({ name: "x" })).toThrow("bad params");
    expect(() => systemdUnit({ name: "x", state: "absent" })).not.toThrow();
  });

  it("refuses a drop-in that leaves its directory", () => {
    expect(() => systemdUnit({ name: "x", dropin: "../x", content: "" })).toThrow("bad params");
  });

  it("shows the text itself in a diff", () => {
    expect(systemdUnit({ name: "x", content: "[Unit]\n" }).document?.wanted).toBe("[Unit]\n");
  });
});
