import { Secret } from "@keybuzz/runner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HostFacts, parseFacts } from "./facts.ts";
import { GaleraHost } from "./params.ts";
import { accountHost, localGtidDomain, type Member, providerOptions, settingsFor, sizesFor } from "./settings.ts";

const GIB = 2 ** 30;
const facts = (memory: number, disk: number): HostFacts => ({
  memoryBytes: memory * GIB,
  diskBytes: disk * GIB,
  cores: 2,
  strangers: [],
  dataOwner: undefined,
  mysqlUser: undefined,
  applied: undefined,
  restart: undefined,
});
const members = [
  { name: "maria-01", address: "10.0.0.170" },
  { name: "maria-02", address: "10.0.0.171" },
  { name: "maria-03", address: "10.0.0.172" },
] as const;
const cluster = { name: "keybuzz-galera", members, sstPassword: new Secret("an example") };
const settings = (vars: object, member: Member = members[0]) =>
  settingsFor(member, GaleraHost.parse(vars), facts(8, 100), cluster);

describe("sizesFor", () => {
  it.each([
    [
      "a server of 8 GiB with a volume of 100 GiB",
      facts(7.75, 100),
      { bufferPoolMib: 4915, redoLogMib: 1024, gcacheMib: 2048 },
    ],
    [
      "a server of 16 GiB with a small volume",
      facts(15.6, 10),
      { bufferPoolMib: 9830, redoLogMib: 512, gcacheMib: 512 },
    ],
    ["a very small one", facts(0.4, 2), { bufferPoolMib: 204, redoLogMib: 51, gcacheMib: 128 }],
  ])("fits %s", (_what, host, sizes) => {
    expect(sizesFor({}, host)).toEqual(sizes);
  });

  it("takes what is declared", () => {
    const declared = { innodb_buffer_pool_size: "256M", innodb_log_file_size: "1G", galera_gcache_size: "3G" };
    expect(sizesFor(declared, facts(64, 1000))).toEqual({ bufferPoolMib: 256, redoLogMib: 1024, gcacheMib: 3072 });
  });

  it("does not move with what a new kernel leaves of the memory", () => {
    expect(sizesFor({}, facts(7.75, 100))).toEqual(sizesFor({}, facts(7.71, 100)));
  });
});

describe("settingsFor", () => {
  it("gives the same cluster to every member, and each its own name, address and local domain", () => {
    const [first, second] = [settings({}), settings({}, members[1])];
    const own = ["name", "address", "providerOptions", "localGtidDomain"];
    const shared = (all: object) => Object.fromEntries(Object.entries(all).filter(([key]) => !own.includes(key)));
    expect(shared(first)).toEqual(shared(second));
    for (const key of own) expect(first[key as "name"]).not.toEqual(second[key as "name"]);
    expect(first.members).toEqual(["10.0.0.170", "10.0.0.171", "10.0.0.172"]);
  });

  it("lets the writer donate last", () => {
    expect(settings({}).sstDonors).toEqual(["maria-03", "maria-02"]);
  });

  it("speaks each version's language", () => {
    expect(settings({ mariadb_version: "11.8" })).toMatchObject({ sstPassword: null, snapshotIsolation: false });
    expect(settings({ mariadb_version: "10.11" })).toMatchObject({
      sstPassword: cluster.sstPassword,
      snapshotIsolation: null,
    });
  });

  it("names the data folder only where the image does not", () => {
    expect(settings({}).dataDir).toBeNull();
    expect(settings({ mariadb_runtime: "native" }).dataDir).toBe("/opt/keybuzz/mariadb/data");
  });

  it("writes switches as the server does", () => {
    expect(settings({ mariadb_settings: { slow_query_log: true, long_query_time: 2 } }).extraSettings).toEqual({
      slow_query_log: "ON",
      long_query_time: 2,
    });
  });
});

it("keeps the keepalive below a third of the suspect timeout, or the server does not start", () => {
  const options = new Map(
    providerOptions("10.0.0.170", 128)
      .split(";")
      .map((pair) => pair.split("=") as [string, string]),
  );
  const seconds = (name: string): number => Number(/^PT([\d.]+)S$/.exec(options.get(name) ?? "")?.[1]);
  expect(seconds("evs.keepalive_period")).toBeLessThan(seconds("evs.suspect_timeout") / 3);
  expect(seconds("evs.suspect_timeout")).toBeLessThan(seconds("evs.inactive_timeout"));
});

describe("GaleraHost", () => {
  it.each(["wsrep_cluster_address", "wsrep-new-cluster", "datadir"])("leaves %s to the role", (name) => {
    expect(GaleraHost.safeParse({ mariadb_settings: { [name]: "x" } }).success).toBe(false);
  });

  it("has a default for everything, so that the company's server list will do", () => {
    expect(GaleraHost.parse({})).toMatchObject({ mariadb_runtime: "docker", mariadb_version: "11.8" });
  });

  it("refuses a second line in an option", () => {
    expect(GaleraHost.safeParse({ mariadb_settings: { init_connect: "a\nb" } }).success).toBe(false);
  });
});

it.each([
  ["10.0.0.0/24", "10.0.0.%"],
  ["10.0.0.0/16", "10.0.%"],
  ["10.0.0.0/8", "10.%"],
  ["10.0.0.64/26", "10.0.0.64/255.255.255.192"],
  ["10.0.3.7/22", "10.0.0.0/255.255.252.0"],
  ["10.0.0.9/32", "10.0.0.9"],
])("writes the network %s as the host %s of an account", (network, host) => {
  expect(accountHost(network)).toBe(host);
});

it("gives each address of a network its own local domain", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(octet, octet, octet, octet, (a, b, c, d) => {
      const same = a === c && b === d;
      expect(localGtidDomain(`10.0.${a}.${b}`) === localGtidDomain(`10.0.${c}.${d}`)).toBe(same);
    }),
  );
});

describe("parseFacts", () => {
  const said = `memory 24684092
cores 2
disk 4294967296
owner 999
applied
applied [mariadbd]
applied port = 3306
restart options: log_bin
stranger /opt/keybuzz/mariadb/conf/my.cnf
`;

  it("reads what a host said", () => {
    expect(parseFacts({ stdout: said, stderr: "", exitCode: 0 })).toEqual({
      memoryBytes: 24684092 * 1024,
      cores: 2,
      diskBytes: 4294967296,
      strangers: ["/opt/keybuzz/mariadb/conf/my.cnf"],
      dataOwner: 999,
      mysqlUser: undefined,
      applied: "[mariadbd]\nport = 3306\n",
      restart: "options: log_bin",
    });
  });

  it("does not guess what could not be read", () => {
    const output = { stdout: "memory \ncores 2\ndisk 1\n", stderr: "sed: /proc/meminfo: No such file", exitCode: 0 };
    expect(() => parseFacts(output)).toThrow(/memory could not be read: sed/);
  });
});
