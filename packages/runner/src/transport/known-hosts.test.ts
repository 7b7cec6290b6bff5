import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostNames, KnownHosts, keyType, renderKnownHost } from "./known-hosts.ts";

/** ssh-keygen is the oracle: what it finds, we find. */
let folder: string;
let key: Buffer;
let other: Buffer;
let rsa: Buffer;
let line: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-known-"));
  [key, other] = ["a", "b"].map((name) => makeKey(name, "ed25519")) as [Buffer, Buffer];
  rsa = makeKey("c", "ecdsa");
  line = `ssh-ed25519 ${key.toString("base64")}`;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makeKey(name: string, type: string): Buffer {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", join(folder, name)]);
  return Buffer.from(readFileSync(join(folder, `${name}.pub`), "utf8").split(" ")[1] ?? "", "base64");
}

const known = (text: string): KnownHosts => new KnownHosts([{ file: "known_hosts", text }]);
const verdict = (text: string, host: string, port = 22, alias?: string) =>
  known(text).check(hostNames(host, port, alias), key);

/** The numbers of the lines that ssh-keygen -F finds. */
function oracle(text: string, name: string): readonly number[] {
  const file = join(folder, "known_hosts");
  writeFileSync(file, text);
  try {
    const found = execFileSync("ssh-keygen", ["-F", name, "-f", file], { encoding: "utf8", stdio: "pipe" });
    return [...found.matchAll(/found: line (\d+)/g)].map((match) => Number(match[1]));
  } catch {
    return [];
  }
}

describe("names", () => {
  it.each([
    ["10.0.0.170", "10.0.0.170", 22, true],
    ["maria-01,10.0.0.170", "10.0.0.170", 22, true],
    ["10.0.0.171", "10.0.0.170", 22, false],
    ["[10.0.0.170]:2222", "10.0.0.170", 2222, true],
    ["[10.0.0.170]:2223", "10.0.0.170", 2222, false],
    ["[10.0.0.*]:2222", "10.0.0.170", 2222, true],
    ["10.0.0.*", "10.0.0.170", 22, true],
    ["10.0.0.17?", "10.0.0.170", 22, true],
    ["*,!10.0.0.170", "10.0.0.170", 22, false],
    ["*,!10.0.0.170", "10.0.0.171", 22, true],
    ["MARIA-01", "maria-01", 22, true],
    ["fe80::1", "fe80::1", 22, true],
  ])("%s for %s port %i: %s, as ssh-keygen -F says", (patterns, host, port, is) => {
    const text = `${patterns} ${line}\n`;
    expect(verdict(text, host, port).kind === "known").toBe(is);
    expect(oracle(text, port === 22 ? host : `[${host}]:${port}`).length > 0).toBe(is);
  });

  it("finds what ssh-keygen -F finds, whatever the patterns, plain and hashed", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", ".", "1"), minLength: 1, maxLength: 5 });
    const pattern = fc.tuple(fc.constantFrom("", "", "!"), word).map(([not, text]) => not + text);
    const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 }).map((list) => list.join(","));
    const name = fc.string({ unit: fc.constantFrom("a", "b", ".", "1"), minLength: 1, maxLength: 4 });
    // One question to the oracle answers for a whole file.
    fc.assert(
      fc.property(fc.array(patterns, { minLength: 30, maxLength: 30 }), name, (lines, asked) => {
        const text = lines.map((one) => `${one} ${line}\n`).join("");
        const ours = lines.flatMap((one, index) =>
          verdict(`${one} ${line}\n`, asked).kind === "known" ? [index + 1] : [],
        );
        expect(ours).toEqual(oracle(text, asked));
      }),
      { numRuns: 25 },
    );
  });

  it("reads what ssh-keygen -H hashed, and what -R left", () => {
    const file = join(folder, "hashed");
    writeFileSync(file, `10.0.0.170 ${line}\n[10.0.0.171]:2222 ${line}\nhost-b,10.0.0.173 ${line}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    const text = readFileSync(file, "utf8");
    expect(text.match(/\|1\|/g)).toHaveLength(4);
    expect(verdict(text, "10.0.0.170").kind).toBe("known");
    expect(verdict(text, "10.0.0.171", 2222).kind).toBe("known");
    expect(verdict(text, "host-b").kind).toBe("known");
    expect(verdict(text, "10.0.0.172").kind).toBe("unknown");
    execFileSync("ssh-keygen", ["-R", "10.0.0.170", "-f", file], { stdio: "ignore" });
    const left = readFileSync(file, "utf8");
    expect(verdict(left, "10.0.0.170").kind).toBe("unknown");
    expect(verdict(left, "10.0.0.171", 2222).kind).toBe("known");
  });

  it("takes a hostile pattern in its stride", () => {
    const text = `${"*a".repeat(2000)}b ${line}\n`;
    const started = performance.now();
    expect(verdict(text, "a".repeat(250)).kind).toBe("unknown");
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("writes lines that ssh-keygen finds again", () => {
    expect(oracle(renderKnownHost(hostNames("Host-A", 2222), key), "[host-a]:2222")).toEqual([1]);
  });
});

describe("verdicts", () => {
  it("tells a changed key from an unknown host, with its place", () => {
    const files = [
      { file: "one", text: "# comment\n\n" },
      { file: "two", text: `# comment\n\n10.0.0.170 ${line}\n` },
    ];
    const read = new KnownHosts(files);
    expect(read.check(hostNames("10.0.0.170", 22), other)).toEqual({ kind: "changed", file: "two", line: 3 });
    expect(read.check(hostNames("10.0.0.171", 22), other)).toEqual({ kind: "unknown" });
  });

  it("refuses another type of key, which whoever is in between could always offer", () => {
    expect(known(`10.0.0.170 ${line}\n`).check(hostNames("10.0.0.170", 22), rsa).kind).toBe("changed");
  });

  it("knows an address at its other ports, too, unless that port has a key of its own", () => {
    expect(verdict(`10.0.0.170 ${line}\n`, "10.0.0.170", 2222).kind).toBe("known");
    const own = `10.0.0.170 ${line}\n[10.0.0.170]:2222 ssh-ed25519 ${other.toString("base64")}\n`;
    expect(verdict(own, "10.0.0.170", 2222)).toMatchObject({ kind: "changed", line: 2 });
    const changed = `10.0.0.170 ssh-ed25519 ${other.toString("base64")}\n`;
    expect(verdict(changed, "10.0.0.170", 2222).kind).toBe("unknown");
  });

  it("looks for an alias in place of address and port", () => {
    expect(verdict(`db ${line}\n`, "10.0.0.170", 2222, "DB").kind).toBe("known");
    expect(verdict(`[10.0.0.170]:2222 ${line}\n`, "10.0.0.170", 2222, "db").kind).toBe("unknown");
  });

  it("refuses a revoked key wherever it is seen", () => {
    const text = `10.0.0.170 ${line}\n@revoked * ${line}\n`;
    expect(verdict(text, "10.0.0.170")).toMatchObject({ kind: "revoked", line: 2 });
    expect(verdict(`10.0.0.170 ${line}\n@revoked 10.0.0.170 ${line}\n`, "10.0.0.170", 2222).kind).toBe("revoked");
    expect(verdict(`10.0.0.170 ${line}\n@revoked other ${line}\n`, "10.0.0.170").kind).toBe("known");
  });

  it("does not take an authority's key for a host's, and says where only an authority speaks for one", () => {
    const authority = `@cert-authority *.lan ${line}\n`;
    expect(verdict(authority, "db.lan")).toMatchObject({ kind: "authority", line: 1 });
    expect(verdict(authority, "db.wan").kind).toBe("unknown");
    expect(verdict(`${authority}db.lan ${line}\n`, "db.lan").kind).toBe("known");
  });

  it.each([
    ["no key", "10.0.0.170 ssh-ed25519\n"],
    ["a key of another type than it says", "10.0.0.170 ssh-rsa KEY\n"],
    ["a marker that nobody knows", "@trusted 10.0.0.170 ssh-ed25519 KEY\n"],
    ["a comment", "# 10.0.0.170 ssh-ed25519 KEY\n"],
    ["a broken key", "10.0.0.170 ssh-ed25519 !!!\n"],
  ])("a line with %s vouches for nothing", (_what, text) => {
    expect(verdict(text.replace("KEY", key.toString("base64")), "10.0.0.170").kind).toBe("unknown");
  });

  it("names the types that can be checked", () => {
    expect(known(`10.0.0.170 ${line}\n`).keyTypes(hostNames("10.0.0.170", 22))).toEqual(["ssh-ed25519"]);
    expect(keyType(key)).toBe("ssh-ed25519");
  });
});
