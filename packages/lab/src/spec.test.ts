import { describe, expect, it } from "vitest";
import { endPorts, hardwareAddress, isNamespaceOf, portName } from "./names.ts";
import { checkSpec, type LabHost, type LabSpec } from "./spec.ts";

const db: LabHost = { name: "db-01", address: "10.0.0.11" };
const spec = (part: Partial<LabSpec>): LabSpec => ({ name: "lab", hosts: [db], ...part });

describe("checkSpec", () => {
  it("accepts a production inventory and says where the controller goes", () => {
    const volumes = [{ device: "/dev/sdb", sizeMib: 4096 }];
    expect(checkSpec(spec({ hosts: [{ ...db, volumes, aliases: ["db"] }], virtualAddresses: ["10.0.0.1"] }))).toEqual({
      network: "10.0.0.0",
      prefix: 24,
      gateway: "10.0.0.254",
    });
  });

  it.each<[string, Partial<LabSpec>, RegExp]>([
    ["a lab name with a hyphen", { name: "a-b" }, /lab name "a-b"/],
    ["a lab name that is a path", { name: "../x" }, /lab name/],
    ["no hosts", { hosts: [] }, /at least one host/],
    ["a host name that is a path", { hosts: [{ ...db, name: "../db" }] }, /host name/],
    ["an address that is none", { hosts: [{ ...db, address: "db" }] }, /not an IPv4 address/],
    ["one name twice", { hosts: [db, { ...db, address: "10.0.0.12" }] }, /two hosts are called "db-01"/],
    ["a name that is an alias", { hosts: [db, { name: "x", address: "10.0.0.12", aliases: ["db-01"] }] }, /two hosts/],
    ["one address twice", { hosts: [db, { ...db, name: "db-02" }] }, /two hosts have the address/],
    ["a virtual address that is taken", { virtualAddresses: ["10.0.0.11"] }, /virtual address/],
    ["a volume that is no disk", { hosts: [{ ...db, volumes: [{ device: "/dev/null", sizeMib: 1 }] }] }, /volume/],
    ["a volume of no size", { hosts: [{ ...db, volumes: [{ device: "/dev/sdb", sizeMib: 0 }] }] }, /sizeMib/],
    ["a negative round trip", { rttMs: -1 }, /rttMs/],
  ])("refuses %s", (_, part, message) => {
    expect(() => checkSpec(spec(part))).toThrow(message);
  });
});

describe("names", () => {
  it("fit the kernel's 15 characters whatever a host is called", () => {
    const { port, near, far, bridge } = endPorts(portName("255.255.255.255"));
    for (const name of [port, near, far, bridge, ...Object.values(endPorts("controller"))]) {
      expect(name.length).toBeLessThanOrEqual(15);
    }
    expect(portName("10.0.0.170")).toBe("h0a0000aa");
    expect(hardwareAddress("10.0.0.170")).toBe("02:6b:0a:00:00:aa");
  });

  it("tell the namespaces of two labs apart", () => {
    expect(isNamespaceOf("a", "kblab-a")).toBe(true);
    expect(isNamespaceOf("a", "kblab-a-b-c")).toBe(true);
    expect(isNamespaceOf("a", "kblab-ab")).toBe(false);
  });
});
