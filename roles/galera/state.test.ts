import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Condition, conditionOf } from "./evidence.ts";
import { parseSavedState, parseSavedView, parseState } from "./state.ts";

const recorded = (name: string): string => readFileSync(new URL(`cases/${name}.txt`, import.meta.url), "utf8");
const parse = (name: string) => parseState("maria-01", { stdout: recorded(name), stderr: "", exitCode: 0 });

describe("parseState, of answers recorded on hosts", () => {
  it.each<[string, Condition]>([
    ["empty", "empty"],
    ["first-member-live", "live"],
    ["joining", "waiting"],
    ["stopped-cleanly", "clean"],
  ])("takes %s", (name, condition) => {
    expect(conditionOf(parse(name))).toBe(condition);
  });

  it("reads every part", () => {
    expect(parse("first-member-live")).toEqual({
      kind: "seen",
      host: "maria-01",
      running: true,
      tables: true,
      halfTransfer: false,
      initialising: true,
      recorded: undefined,
      saved: { uuid: "23c58acb-e632-11f1-9be3-d265ce6af846", seqno: -1, safe: false },
      view: {
        self: "23c3a5f1-e632-11f1-a8ea-3a6b7750766d",
        id: "3 23c3a5f1-e632-11f1-a8ea-3a6b7750766d 2",
        members: ["23c3a5f1-e632-11f1-a8ea-3a6b7750766d", "3590b14c-e632-11f1-975b-dfe8e9c1747c"],
      },
      server: {
        wsrepOn: true,
        status: "Primary",
        ready: true,
        connected: true,
        state: "Synced",
        size: 2,
        uuid: "23c58acb-e632-11f1-9be3-d265ce6af846",
        committed: 2,
      },
    });
  });

  it("does not take a failure, or half an answer, for an absent member", () => {
    expect(() => parseState("x", { stdout: "", stderr: "ls: Input/output error", exitCode: 1 })).toThrow(
      /Input\/output/,
    );
    const half = recorded("first-member-live").split("== gvwstate")[0] ?? "";
    expect(() => parseState("x", { stdout: half, stderr: "", exitCode: 0 })).toThrow(/lacks its part/);
  });
});

describe("the files of Galera", () => {
  it("reads a place in no cluster as none", () => {
    expect(parseSavedState("")).toBeUndefined();
    expect(parseSavedState("uuid: 00000000-0000-0000-0000-000000000000\nseqno: -1\n")).toBeUndefined();
  });

  it("refuses a place without a number", () => {
    expect(() => parseSavedState("uuid: 23c58acb-e632-11f1-9be3-d265ce6af846\nseqno: ?\n")).toThrow(/no seqno/);
  });

  it("reads a view that was cut short as none", () => {
    expect(parseSavedView("my_uuid: a\n#vwbeg\nview_id: 3 a 2\nmember: a 0\n")).toBeUndefined();
  });
});
