import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress, renderAddress, subnetOf } from "./addresses.ts";

const address = fc.ipV4();

describe("addresses", () => {
  it("render as they were parsed", () => {
    fc.assert(fc.property(address, (text) => renderAddress(parseAddress(text)) === text));
  });

  it("refuse what is no IPv4 address", () => {
    for (const text of ["", "10.0.0", "10.0.0.256", "10.0.0.1/24", "fe80::1", " 10.0.0.1"]) {
      expect(() => parseAddress(text)).toThrow(/not an IPv4 address/);
    }
  });
});

describe("subnetOf", () => {
  it("takes the /24 of the hosts, and .1 for the controller", () => {
    expect(subnetOf(["10.0.0.170", "10.0.0.20"])).toEqual({ network: "10.0.0.0", prefix: 24, gateway: "10.0.0.1" });
  });

  it("gives way to a host at .1", () => {
    expect(subnetOf(["10.0.0.1", "10.0.0.254"]).gateway).toBe("10.0.0.253");
  });

  it("widens for hosts that lie apart, and refuses those that lie too far apart", () => {
    expect(subnetOf(["10.0.0.5", "10.0.3.5"])).toEqual({ network: "10.0.0.0", prefix: 22, gateway: "10.0.0.1" });
    expect(() => subnetOf(["10.0.0.1", "192.168.0.1"])).toThrow(/too far apart/);
    expect(() => subnetOf([])).toThrow(/at least one host/);
  });

  it("never gives the controller an address that is taken, or the network's own", () => {
    const near = fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { minLength: 1, maxLength: 253 });
    fc.assert(
      fc.property(near, (ends) => {
        const hosts = ends.map((end) => `10.1.2.${end}`);
        const { gateway } = subnetOf(hosts);
        expect(hosts).not.toContain(gateway);
        expect(gateway).toMatch(/^10\.1\.2\.([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4])$/);
      }),
    );
  });
});
