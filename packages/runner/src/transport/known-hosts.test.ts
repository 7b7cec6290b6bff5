import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KnownHosts, keyType } from "./known-hosts.ts";

/** ssh-keygen is the oracle: what it finds, we find. */
let folder: string;
let key: Buffer;
let other: Buffer;
let line: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-known-"));
  [key, other] = ["a", "b"].map((name) => makeKey(name)) as [Buffer, Buffer];
  line = `ssh-ed25519 ${key.toString("base64")}`;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makeKey(name: string): Buffer {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  return Buffer.from(readFileSync(join(folder, `${name}.pub`), "utf8").split(" ")[1] ?? "", "base64");
}

function oracleFinds(text: string, name: string): boolean {
  const file = join(folder, "known_hosts");
  writeFileSync(file, text);
  try {
    return execFileSync("ssh-keygen", ["-F", name, "-f", file], { encoding: "utf8" }).includes("found");
  } catch {
    return false;
  }
}

describe("names", () => {
  it.each([
    ["10.0.0.170", "10.0.0.170", 22, true],
    ["maria-01,10.0.0.170", "10.0.0.170", 22, true],
    ["10.0.0.171", "10.0.0.170", 22, false],
    ["[10.0.0.170]:2222", "10.0.0.170", 2222, true],
    ["10.0.0.170", "10.0.0.170", 2222, false],
    ["10.0.0.*", "10.0.0.170", 22, true],
    ["10.0.0.17?", "10.0.0.170", 22, true],
    ["*,!10.0.0.170", "10.0.0.170", 22, false],
    ["*,!10.0.0.170", "10.0.0.171", 22, true],
    ["MARIA-01", "maria-01", 22, true],
  ])("%s for %s port %i: %s, as ssh-keygen -F says", (patterns, host, port, known) => {
    const text = `${patterns} ${line}\n`;
    expect(new KnownHosts(text).check(host, port, key).kind === "known").toBe(known);
    expect(oracleFinds(text, port === 22 ? host : `[${host}]:${port}`)).toBe(known);
  });

  it("reads what ssh-keygen -H hashed", () => {
    const file = join(folder, "hashed");
    writeFileSync(file, `10.0.0.170 ${line}\n[10.0.0.171]:2222 ${line}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    const text = readFileSync(file, "utf8");
    expect(text).toContain("|1|");
    expect(new KnownHosts(text).check("10.0.0.170", 22, key).kind).toBe("known");
    expect(new KnownHosts(text).check("10.0.0.171", 2222, key).kind).toBe("known");
    expect(new KnownHosts(text).check("10.0.0.172", 22, key).kind).toBe("unknown");
  });
});

describe("verdicts", () => {
  it("tells a changed key from an unknown host", () => {
    const known = new KnownHosts(`# comment\n\n10.0.0.170 ${line}\n`);
    expect(known.check("10.0.0.170", 22, other)).toEqual({ kind: "changed", line: 3 });
    expect(known.check("10.0.0.171", 22, other)).toEqual({ kind: "unknown" });
  });

  it("refuses a revoked key wherever it is seen", () => {
    const known = new KnownHosts(`10.0.0.170 ${line}\n@revoked * ${line}\n`);
    expect(known.check("10.0.0.170", 22, key)).toEqual({ kind: "revoked", line: 2 });
  });

  it("does not take an authority's key for a host's", () => {
    expect(new KnownHosts(`@cert-authority * ${line}\n`).check("10.0.0.170", 22, key).kind).toBe("unknown");
  });

  it("names the types that can be checked", () => {
    expect(new KnownHosts(`10.0.0.170 ${line}\n`).keyTypes("10.0.0.170", 22)).toEqual(["ssh-ed25519"]);
    expect(keyType(key)).toBe("ssh-ed25519");
  });
});
