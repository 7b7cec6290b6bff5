import { moduleSuite } from "@keybuzz/runner/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replace } from "./replace.ts";

moduleSuite(replace, import.meta.url);

const at = (text: string) => ({ text, mode: "0644", owner: "root", group: "root" });

describe("replace", () => {
  it("leaves what does not match as it was, byte for byte, and is done after one run", () => {
    const line = fc.oneof(
      fc.string({ unit: "grapheme" }).filter((text) => !/[\n\r]/.test(text)),
      fc.constant("port = 1"),
    );
    const text = fc.array(line).chain((lines) => fc.constantFrom("\n", "\r\n").map((end) => lines.join(end)));
    fc.assert(
      fc.property(text, (before) => {
        const task = replace({ path: "/etc/x", regexp: /^port = 1$/, replace: "port = $$2" });
        const wanted = task.assess(at(before)).wanted;
        expect(wanted?.["text"]).toBe(
          before.replaceAll(/(?<=^|[\n\u2028\u2029\r])port = 1(?=$|[\n\u2028\u2029\r])/g, "port = $$2"),
        );
        expect(task.assess(wanted).differs).toBe(false);
      }),
    );
  });

  it("refuses a replacement that matches again", () => {
    const task = replace({ path: "/etc/x", regexp: /a/, replace: "aa" });
    expect(() => task.assess(at("a"))).toThrow(/matches again/);
    expect(task.assess(at("b")).differs).toBe(false);
  });
});
