import { moduleSuite } from "@keybuzz/runner/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAddress, normaliseAddress, type RuleMatch, renderTuples } from "./tuple.ts";
import { ufwRule } from "./ufw-rule.ts";

moduleSuite(ufwRule, import.meta.url);

const ANY: RuleMatch = {
  ...{ proto: "any", from: "any", from_port: undefined, to: "any", to_port: undefined, direction: "in" },
  ...{ interface: undefined, interface_out: undefined, route: false },
};

describe("renderTuples", () => {
  // As ufw 0.36.2 wrote them into /etc/ufw/user.rules and user6.rules for the commands of the same meaning.
  it.each<[Partial<RuleMatch>, string, string]>([
    [{ to_port: "53" }, "any 53 0.0.0.0/0 any 0.0.0.0/0 in", "any 53 ::/0 any ::/0 in"],
    [{ proto: "tcp", from: "10.0.0.5/24", to_port: "3306" }, "tcp 3306 0.0.0.0/0 any 10.0.0.0/24 in", ""],
    [{ proto: "tcp", to_port: "443,80" }, "tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in", "tcp 80,443 ::/0 any ::/0 in"],
    [
      { proto: "tcp", to_port: "90,70,80:85,75", from: "0.0.0.0/0" },
      "tcp 70,75,80:85,90 0.0.0.0/0 any 0.0.0.0/0 in",
      "",
    ],
    [{ interface: "eth0", to: "10.0.0.1", to_port: "53" }, "any 53 10.0.0.1 any 0.0.0.0/0 in_eth0", ""],
    [{ direction: "out", proto: "tcp", to: "2001:DB8::1", to_port: "25" }, "", "tcp 25 2001:db8::1 any ::/0 out"],
    [{ from: "fe80::1/64" }, "", "any any ::/0 any fe80::1/64 in"],
    [{ from: "2001:db8:0:0:1:0:0:1" }, "", "any any ::/0 any 2001:db8::1:0:0:1 in"],
    [{ from: "2001:db8::1/128" }, "", "any any ::/0 any 2001:db8::1 in"],
    [{ from: "10.0.0.7/32" }, "any any 0.0.0.0/0 any 10.0.0.7 in", ""],
    [{ proto: "igmp" }, "igmp any 0.0.0.0/0 any 0.0.0.0/0 in", ""],
    [
      { route: true, from: "10.1.0.0/16", interface: "eth0", interface_out: "eth1" },
      "route any any 0.0.0.0/0 any 10.1.0.0/16 in_eth0!out_eth1",
      "",
    ],
    [
      { route: true, proto: "tcp", to_port: "80", to: "10.9.0.0/16", interface_out: "eth7" },
      "route tcp 80 10.9.0.0/16 any 0.0.0.0/0 out_eth7",
      "",
    ],
  ])("%o", (match, v4, v6) => {
    expect(renderTuples({ ...ANY, ...match })).toEqual({ v4, v6 });
  });

  it.each([
    "10.0.0.256",
    "10.0.0",
    "10.0.0.1.2",
    "10.0.0.1/33",
    "::/129",
    "::g",
    "1:2",
    "fe80::1%eth0",
    "10.0.0.1/8/8",
    "",
    "01.2.3.400",
  ])("%s is no address", (text) => {
    expect(isAddress(text)).toBe(false);
  });

  it("gives one tuple for all spellings of a network", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, length) => {
        const once = normaliseAddress(`${address}/${length}`);
        expect(isAddress(once)).toBe(true);
        expect(normaliseAddress(once)).toBe(once);
      }),
    );
  });
});

describe("ufw_rule", () => {
  it("refuses what ufw would refuse, before anything is sent", () => {
    expect(() => ufwRule({ rule: "allow", to_port: "80,443" })).toThrow("bad params");
    expect(() => ufwRule({ rule: "allow", from: "10.0.0.256" })).toThrow("bad params");
    expect(() => ufwRule({ rule: "allow", from: "::ffff:1.2.3.4" })).toThrow("bad params");
    expect(() => ufwRule({ rule: "allow", to_port: "080" })).toThrow("bad params");
    expect(() => ufwRule({ rule: "allow", comment: "it's" })).toThrow("bad params");
    expect(() => ufwRule({ rule: "allow", interface_out: "eth0" })).toThrow("bad params");
  });

  it("takes a port as a number", () => {
    expect(ufwRule({ rule: "allow", proto: "tcp", to_port: 22 }).id).toBe("allow in proto tcp from any to any port 22");
  });

  it("looks whether ssh stays open before it takes a way in away", () => {
    const first = (task: ReturnType<typeof ufwRule>, state: { v4: string; v6: string; comment: string }): string => {
      const [action] = task.assess(state).actions();
      return action?.kind === "exec" ? action.script.text : "";
    };
    const absent = { v4: "absent", v6: "absent", comment: "" };
    expect(first(ufwRule({ rule: "deny", to_port: 22 }), absent)).toContain("SSH_CONNECTION");
    expect(first(ufwRule({ rule: "allow", to_port: 22, delete: true }), { ...absent, v4: "allow" })).toContain(
      "SSH_CONNECTION",
    );
    expect(first(ufwRule({ rule: "allow", to_port: 22 }), absent)).not.toContain("SSH_CONNECTION");
    expect(first(ufwRule({ rule: "deny", to_port: 25, direction: "out" }), absent)).not.toContain("SSH_CONNECTION");
  });
});
