import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Condition, conditionOf } from "./evidence.ts";
import { parsePosition, parseSavedState, parseSavedView, parseState } from "./state.ts";

const recorded = (name: string): string => readFileSync(new URL(`cases/${name}.txt`, import.meta.url), "utf8");
const parse = (name: string) => parseState("maria-01", { stdout: recorded(name), stderr: "", exitCode: 0 });

describe("parseState, of answers recorded on hosts", () => {
  it.each<[string, Condition]>([
    ["empty", "empty"],
    ["live", "live"],
    ["joining", "waiting"],
    ["stopped-cleanly", "clean"],
  ])("takes %s", (name, condition) => {
    expect(conditionOf(parse(name))).toBe(condition);
  });

  it("reads every part", () => {
    const cluster = "56f582c0-e642-11f1-bd15-9ef1e7d4f608";
    expect(parse("live")).toEqual({
      kind: "seen",
      host: "maria-01",
      running: true,
      tables: true,
      halfTransfer: false,
      initialising: true,
      recorded: cluster,
      disowned: false,
      receiving: false,
      movingAside: false,
      position: undefined,
      saved: { uuid: cluster, seqno: -1, safe: false },
      view: {
        self: "56f2717a-e642-11f1-88cf-4a9ba150bb66",
        id: "3 56f2717a-e642-11f1-88cf-4a9ba150bb66 3",
        members: [
          "56f2717a-e642-11f1-88cf-4a9ba150bb66",
          "6364d354-e642-11f1-9d8b-1e7c53c69263",
          "76fccf26-e642-11f1-ae9a-06b13fa9789c",
        ],
      },
      server: {
        wsrepOn: true,
        name: "keybuzz-galera",
        status: "Primary",
        ready: true,
        connected: true,
        state: "Synced",
        size: 3,
        uuid: cluster,
        committed: 14,
      },
    });
  });

  it("says so where the server refuses the login", () => {
    expect(() => parse("refused")).toThrow(/refuses the login of root .* ERROR 1045/);
  });

  it("does not take a failure, or half an answer, for an absent member", () => {
    expect(() => parseState("x", { stdout: "", stderr: "ls: Input/output error", exitCode: 1 })).toThrow(
      /Input\/output/,
    );
    const half = recorded("live").split("== gvwstate")[0] ?? "";
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

  it.each<[string, ReturnType<typeof parsePosition>]>([
    ["", undefined],
    ["none", "none"],
    [`00000000-0000-0000-0000-000000000000:-1`, "none"],
    ["23c58acb-e632-11f1-9be3-d265ce6af846:25,10-1-12", { uuid: "23c58acb-e632-11f1-9be3-d265ce6af846", seqno: 25 }],
    ["23c58acb-e632-11f1-9be3-d265ce6af846:7", { uuid: "23c58acb-e632-11f1-9be3-d265ce6af846", seqno: 7 }],
  ])("reads the measured place '%s'", (text, position) => {
    expect(parsePosition(text)).toEqual(position);
  });

  it("reads a view that was cut short as none", () => {
    expect(parseSavedView("my_uuid: a\n#vwbeg\nview_id: 3 a 2\nmember: a 0\n")).toBeUndefined();
  });
});
