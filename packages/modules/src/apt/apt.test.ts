import { moduleSuite } from "@keybuzz/runner/testing";
import { describe, expect, it } from "vitest";
import { apt } from "./apt.ts";
import { parseWish, wantedPackage } from "./wishes.ts";

moduleSuite(apt, import.meta.url);

describe("apt", () => {
  it("refuses what is no package", () => {
    for (const name of ["vim; reboot", "-y", "vim=", "UPPER", ""]) {
      expect(() => apt({ name }), name).toThrow("bad params for apt");
    }
  });

  it("refuses to purge what it installs", () => {
    expect(() => apt({ name: "vim", purge: true })).toThrow("bad params for apt");
  });

  it("touches each of its packages, without their versions", () => {
    expect(apt({ name: ["vim=2:9*", "libc6:amd64"] }).touches).toEqual(["package:vim", "package:libc6:amd64"]);
  });

  it("passes package names and versions to the shell as words", () => {
    const task = apt({ name: "vim=2:9*" });
    const [action] = task.assess({ packages: { vim: "absent" } }).actions();
    expect(action?.kind === "exec" ? action.script.text : "").toContain(
      "kb_apt install --install-recommends -- 'vim=2:9*'",
    );
  });
});

describe("wantedPackage", () => {
  const want = (text: string, current: string) => wantedPackage(parseWish(text), "present", current, undefined);

  it.each([
    ["vim", "9.1", "9.1"],
    ["vim", "absent", "present"],
    ["vim", "half-configured 9.1", "present"],
    ["vim=9.1", "9.1", "9.1"],
    ["vim=9.1", "9.1.2", "9.1"],
    ["vim=9.*", "9.1.2", "9.1.2"],
    ["vim=9.*", "half-configured 9.1.2", "9.*"],
    ["vim=9.1?2", "9.1.2", "9.1.2"],
    ["vim=2:9.1+dfsg-1", "2:9.1+dfsg-1", "2:9.1+dfsg-1"],
    ["vim=9+1", "99991", "9+1"],
  ])("%s where %s is installed: %s", (text, current, expected) => {
    expect(want(text, current)).toBe(expected);
  });

  it("asks for the newest version that the index knows", () => {
    const vim = parseWish("vim");
    expect(wantedPackage(vim, "latest", "9.1", "9.2")).toBe("9.2");
    expect(wantedPackage(vim, "latest", "9.1", undefined)).toBe("9.1");
    expect(wantedPackage(vim, "latest", "absent", undefined)).toBe("present");
  });
});
