import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { bindGroups, bindParams } from "../bind.ts";
import { InventoryError } from "../errors.ts";
import { definePlaybook } from "../playbook.ts";
import type { ConnectionDefaults, Inventory } from "./inventory.ts";
import { nearest } from "./nearest.ts";
import { matchHosts } from "./patterns.ts";
import { targetOf } from "./target.ts";
import { parseTsvInventory } from "./tsv.ts";
import { readYamlInventory } from "./yaml.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-inventory-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function inventory(files: Readonly<Record<string, string>>): Promise<Inventory> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return readYamlInventory(join(folder, "hosts.yml"));
}

const HOSTS = `all:
  vars: { color: all, size: 1 }
  children:
    db:
      vars: { color: db }
      children:
        mariadb:
          hosts:
            maria-[01:03]:
            maria-02: { ansible_host: 10.0.0.171, color: own }
    proxysql:
      hosts: { proxysql-01: , proxysql-02: }
`;

describe("YAML inventories", () => {
  it("reads groups, children, ranges and vars", async () => {
    const read = await inventory({ "hosts.yml": HOSTS });
    expect([...read.hosts.keys()]).toEqual(["maria-01", "maria-02", "maria-03", "proxysql-01", "proxysql-02"]);
    expect(read.groups.get("db")?.hosts).toEqual(["maria-01", "maria-02", "maria-03"]);
    expect(read.hosts.get("maria-01")?.groups).toEqual(["mariadb", "db", "all"]);
    expect(read.hosts.get("maria-02")?.vars.get("ansible_host")?.value).toBe("10.0.0.171");
  });

  it("lets the nearest win: all, parent, child, host, group_vars, host_vars", async () => {
    const plain = await inventory({ "hosts.yml": HOSTS });
    expect(
      ["maria-01", "maria-02", "proxysql-01"].map((name) => plain.hosts.get(name)?.vars.get("color")?.value),
    ).toEqual(["db", "own", "all"]);
    const files = await inventory({
      "hosts.yml": HOSTS,
      "group_vars/all.yml": "color: from-all-file\n",
      "group_vars/mariadb.yml": "color: from-group-file\n",
      "host_vars/maria-03.yml": "color: from-host-file\n",
    });
    expect(
      ["maria-01", "maria-03", "proxysql-01"].map((name) => files.hosts.get(name)?.vars.get("color")?.value),
    ).toEqual(["from-group-file", "from-host-file", "from-all-file"]);
    expect(files.hosts.get("maria-03")?.vars.get("color")?.source).toMatchObject({ line: 1, column: 8 });
  });

  it.each([
    ["all:\n  hots:\n    a:\n", /hosts\.yml:2:3: group all has no key "hots"/],
    ["all:\n  hosts: [a, b]\n", /hosts\.yml:2:10: hosts is a map/],
    ["all:\n  hosts:\n    a: { x: 1\n", /hosts\.yml:\d+:\d+: /],
    ["all:\n  hosts:\n    web[a-c]:\n", /hosts\.yml:3:5: \[a-c\] is no range/],
    ["a:\n  children:\n    b:\n      children:\n        a:\n", /its own descendant/],
  ])("says where %j is wrong", async (text, message) => {
    await expect(inventory({ "hosts.yml": text })).rejects.toThrow(message);
  });

  it("says which file it cannot read", async () => {
    await expect(readYamlInventory(join(folder, "none.yml"))).rejects.toThrow(/cannot read the inventory .*none\.yml/);
  });
});

describe("patterns", () => {
  it.each([
    ["all", ["maria-01", "maria-02", "maria-03", "proxysql-01", "proxysql-02"]],
    ["mariadb", ["maria-01", "maria-02", "maria-03"]],
    ["maria-0*,proxysql-02", ["maria-01", "maria-02", "maria-03", "proxysql-02"]],
    ["all:!mariadb", ["proxysql-01", "proxysql-02"]],
    ["all:&mariadb:!maria-02", ["maria-01", "maria-03"]],
    ["mariadb[0]", ["maria-01"]],
    ["mariadb[1:2]", ["maria-02", "maria-03"]],
    ["mariadb[1:]", ["maria-02", "maria-03"]],
    ["~.*-0[12]$", ["maria-01", "maria-02", "proxysql-01", "proxysql-02"]],
    ["!proxysql", ["maria-01", "maria-02", "maria-03"]],
  ])("%s", async (pattern, hosts) => {
    expect(matchHosts(await inventory({ "hosts.yml": HOSTS }), pattern)).toEqual(hosts);
  });

  it("names the nearest to a name that is none", async () => {
    const read = await inventory({ "hosts.yml": HOSTS });
    expect(() => matchHosts(read, "maria-1")).toThrow(InventoryError);
    try {
      matchHosts(read, "mariadbb");
    } catch (error) {
      expect(error).toMatchObject({ message: expect.stringContaining('"mariadbb"'), hint: "did you mean mariadb?" });
    }
  });

  it("finds no name near to one that is far", () => {
    expect(nearest("zebra", ["maria-01", "proxysql-01"])).toBeUndefined();
  });
});

describe("what a playbook needs", () => {
  const playbook = definePlaybook({
    name: "p",
    summary: "p",
    groups: {
      mariadb: z.object({ galera_cluster_name: z.string(), memory: z.object({ mib: z.number() }).optional() }),
    },
    params: z.strictObject({ rotate: z.enum(["app", "root"]).optional() }),
    async run() {},
  });

  it.each([
    [
      "mariadb: { hosts: { a: } }",
      /hosts\.yml:1:21: a \(group mariadb\): the var galera_cluster_name is missing/,
      /.*/,
    ],
    ["mariadb:\n  hosts:\n    a: { galera_cluster_name: 7 }", /hosts\.yml:3:31: a .*galera_cluster_name/, undefined],
    [
      "mariadb:\n  hosts:\n    a: { galera_cluser_name: x }",
      /hosts\.yml:3:\d+: .*galera_cluser_name, which nothing reads/,
      /galera_cluster_name/,
    ],
    [
      "mariadb:\n  hosts:\n    a: { galera_cluster_name: x, memory: { mib: many } }",
      /hosts\.yml:3:49: .*memory\.mib/,
      undefined,
    ],
    ["maria: { hosts: { a: } }", /needs a group "mariadb"/, /did you mean maria\?/],
  ])("refuses %j", async (text, message, hint) => {
    const read = await inventory({ "hosts.yml": `${text}\n` });
    try {
      bindGroups(playbook, read);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toMatch(message);
      if (hint !== undefined) expect((error as InventoryError).hint).toMatch(hint);
    }
  });

  it("refuses unknown params and values, naming what there is", () => {
    expect(() => bindParams(playbook, { rotat: "app" })).toThrow(
      expect.objectContaining({ hint: "did you mean rotate?" }),
    );
    expect(() => bindParams(playbook, { rotate: "nobody" })).toThrow(/bad params/);
    expect(bindParams(playbook, { rotate: "app" })).toEqual({ rotate: "app" });
  });
});

describe("connections", () => {
  it("leave to ~/.ssh/config what they do not say", async () => {
    const read = await inventory({
      "hosts.yml":
        "all: { hosts: { a: { ansible_user: deploy, ansible_become_password: x }, b: , c: { ansible_port: none } } }\n",
    });
    const [a, b, c] = ["a", "b", "c"].map((name) => read.hosts.get(name));
    if (a === undefined || b === undefined || c === undefined) throw new Error("hosts are missing");
    expect(targetOf(a, {})).toMatchObject({ user: "deploy", becomeUser: "root", address: "a", connection: "ssh" });
    expect(JSON.stringify(targetOf(a, {}))).not.toContain('"x"');
    // What is left out may be in ~/.ssh/config, which is asked when the connection is made.
    expect(Object.keys(targetOf(b, {}))).toEqual(["name", "address", "connection", "becomeUser"]);
    expect(() => targetOf(c, {})).toThrow(/hosts\.yml:1:\d+: c: ansible_port/);
  });
});

describe("ways in", () => {
  const hosts = `all:
  hosts:
    db: { ansible_connection: ssh, ansible_ssh_common_args: "-o ProxyJump=jump -o 'User=a b'", ansible_ssh_extra_args: -C }
    fido: { kb_connection: openssh, ansible_connection: ssh }
    box: { ansible_connection: community.docker.docker, kb_docker_host: db, ansible_host: mariadb }
    lost: { ansible_connection: docker }
    adrift: { ansible_connection: docker, kb_docker_host: bd }
    nested: { ansible_connection: docker, kb_docker_host: box }
    odd: { ansible_connection: winrm }
`;

  it("are chosen by host, and by the command line where a host says no more than ssh", async () => {
    const read = await inventory({ "hosts.yml": hosts });
    const target = (name: string, defaults: ConnectionDefaults = {}) => {
      const host = read.hosts.get(name);
      if (host === undefined) throw new Error(`${name} is missing`);
      return targetOf(host, defaults, read.hosts);
    };
    expect(target("db")).toMatchObject({
      connection: "ssh",
      sshArgs: ["-o", "ProxyJump=jump", "-o", "User=a b", "-C"],
    });
    expect(target("db", { connection: "openssh" }).connection).toBe("openssh");
    expect(target("fido").connection).toBe("openssh");
    const through = { name: "db", connection: "ssh" };
    expect(target("box")).toMatchObject({ connection: "docker", address: "mariadb", through });
    expect(() => target("lost")).toThrow(/hosts\.yml:6:.*lost is a container, but of which host/);
    expect(() => target("adrift")).toThrow(/hosts\.yml:7:.*no other host bd/);
    expect(() => target("nested")).toThrow(/box is itself a container/);
    expect(() => target("odd")).toThrow(/hosts\.yml:9:.*ansible_connection/);
  });
});

describe("tab-separated server lists", () => {
  const mapping = {
    columns: ["HOST", "IP", "ROLE"],
    name: "HOST",
    vars: ({ IP }: Readonly<Record<string, string>>) => ({ ansible_host: IP ?? "" }),
    groups: ({ ROLE }: Readonly<Record<string, string>>) => (ROLE === "db" ? ["mariadb"] : []),
  };

  it("keeps the rows that have a group", () => {
    const read = parseTsvInventory("s.tsv", "HOST\tIP\tROLE\n# note\nm1\t10.0.0.1\tdb\nx1\t10.0.0.2\tweb\n", mapping);
    expect([...read.hosts.keys()]).toEqual(["m1"]);
    expect(read.hosts.get("m1")?.vars.get("ansible_host")).toMatchObject({ value: "10.0.0.1", source: { line: 3 } });
  });

  it.each([
    ["HOST\tROLE\n", /s\.tsv:1:1: the header has no column IP/],
    ["HOST\tIP\tROLE\nm1\t1\tdb\textra\n", /s\.tsv:2:1: 4 cells, but the header names 3/],
    ["HOST\tIP\tROLE\nm1\t1\tdb\nm1\t1\tdb\n", /s\.tsv:3:1: m1 is listed twice/],
    ["", /the file is empty/],
  ])("says where %j is wrong", (text, message) => {
    expect(() => parseTsvInventory("s.tsv", text, mapping)).toThrow(message);
  });
});
