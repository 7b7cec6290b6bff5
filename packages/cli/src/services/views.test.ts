import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Inventory, readYamlInventory } from "@keybuzz/runner";
import { afterAll, describe, expect, test } from "vitest";
import { treeLines } from "../reporters/inventory-lines.ts";
import { makePaint } from "../reporters/style.ts";
import { viewHost, viewHosts, viewTree } from "./inventory-view.ts";
import { labSpecOf } from "./lab-spec.ts";

const folder = mkdtempSync(join(tmpdir(), "kb-views-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TEXT = `
all:
  hosts:
    jump: { ansible_host: 10.0.0.250 }
    here: { ansible_connection: local }
  children:
    database:
      children:
        mariadb:
          vars: { mariadb_data_device: /dev/sdb, entry_points: [10.0.0.30] }
          hosts:
            maria-01: { ansible_host: 10.0.0.170, api_token: s3cret }
            maria-02:
              ansible_host: 10.0.0.171
              lab_volumes: [{ device: /dev/sdc, size_mib: 512 }]
      hosts:
        witness: { ansible_host: 10.0.0.160 }
    loadbalancer:
      hosts:
        lb-01: { ansible_host: 10.0.0.11, entry_point: 10.0.0.20 }
`;

async function read(text: string): Promise<Inventory> {
  const file = join(folder, "hosts.yml");
  writeFileSync(file, text);
  return readYamlInventory(file);
}

const inventory = await read(TEXT);

describe("the tree of an inventory", () => {
  const tree = (pattern: string): string[] => {
    const lines = treeLines(viewTree(inventory, viewHosts(inventory, pattern)), makePaint(false), { vars: false });
    return lines.map((line) => line.trimEnd());
  };

  test("has each host where it is declared, below its groups", () => {
    expect(tree("all")).toEqual([
      "all",
      "  jump      10.0.0.250",
      "  here      here",
      "  database",
      "    witness   10.0.0.160",
      "    mariadb",
      "      maria-01  10.0.0.170",
      "      maria-02  10.0.0.171",
      "  loadbalancer",
      "    lb-01     10.0.0.11",
    ]);
  });

  test("has only what a pattern names", () => {
    expect(tree("maria-02")).toEqual(["all", "  database", "    mariadb", "      maria-02  10.0.0.171"]);
  });
});

test("a host's vars come with file and line; what looks like a secret is not shown", () => {
  const { vars, groups } = viewHost(inventory, "maria-01");
  expect(groups).toEqual(["mariadb", "database", "all"]);
  expect(vars.map(({ name, value, source }) => [name, value, source.replace(/^.*hosts\.yml/, "")])).toEqual([
    ["mariadb_data_device", "/dev/sdb", ":10:40"],
    ["entry_points", ["10.0.0.30"], ":10:64"],
    ["ansible_host", "10.0.0.170", ":12:39"],
    ["api_token", "<secret>", ":12:62"],
  ]);
});

describe("the lab of an inventory", () => {
  test("has its hosts at their addresses, with the disks that their vars name, and keeps wandering addresses free", () => {
    expect(labSpecOf(inventory, "lab", 50)).toEqual({
      name: "lab",
      rttMs: 50,
      virtualAddresses: ["10.0.0.30", "10.0.0.20"],
      hosts: [
        { name: "jump", address: "10.0.0.250", volumes: [] },
        { name: "maria-01", address: "10.0.0.170", volumes: [{ device: "/dev/sdb", sizeMib: 4096 }] },
        { name: "maria-02", address: "10.0.0.171", volumes: [{ device: "/dev/sdc", sizeMib: 512 }] },
        { name: "witness", address: "10.0.0.160", volumes: [] },
        { name: "lb-01", address: "10.0.0.11", volumes: [] },
      ],
    });
  });

  test("cannot have a host without an address", async () => {
    const nameless = await read("all:\n  hosts:\n    web-1: {}\n");
    expect(() => labSpecOf(nameless, "lab")).toThrow(/hosts\.yml:3:5: web-1: the var ansible_host is missing$/);
  });
});
