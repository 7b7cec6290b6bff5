import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Secret } from "../secret.ts";
import { Identities } from "./ssh-identities.ts";
import { publicHalf } from "./ssh-key-file.ts";

let folder: string;
let plain: readonly string[];
let locked: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kb-identities-"));
  plain = Array.from({ length: 6 }, (_, n) => makeKey(`k${n}`, ""));
  locked = makeKey("locked", "open sesame");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makeKey(name: string, passphrase: string, ...args: readonly string[]): string {
  const file = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-f", file, ...args]);
  return file;
}

const wanted = {
  host: "db",
  named: undefined,
  configured: undefined,
  identitiesOnly: false,
  agent: undefined,
} as const;

it("asks for a passphrase once for all hosts, and again only after a wrong one", async () => {
  const asked: boolean[] = [];
  const identities = new Identities(async (_file, wrong) => {
    asked.push(wrong);
    return new Secret(wrong ? "open sesame" : "guess");
  });
  const hosts = await Promise.all(
    Array.from({ length: 20 }, () => identities.offersFor({ ...wanted, named: locked, configured: [] })),
  );
  expect(hosts.map(({ offers }) => offers.map(({ label }) => label))).toEqual(hosts.map(() => [locked]));
  expect(asked).toEqual([false, true]);
});

it("gives up after three wrong passphrases, and says which key it was", async () => {
  let asked = 0;
  const identities = new Identities(async () => {
    asked += 1;
    return new Secret("guess");
  });
  await expect(identities.offersFor({ ...wanted, named: locked })).rejects.toThrow(
    `${locked} cannot be used: encrypted`,
  );
  expect(asked).toBe(3);
});

it("offers named keys first, each once, five at most, and tells what it passed over", async () => {
  const identities = new Identities(undefined);
  const configured = [...plain, locked, join(folder, "missing"), plain[3] ?? ""];
  const { offers, passedOver } = await identities.offersFor({ ...wanted, named: plain[5], configured });
  expect(offers.map(({ label }) => label)).toEqual([plain[5], ...plain.slice(0, 4)]);
  expect(passedOver).toEqual([
    expect.stringMatching(/locked: encrypted, and nobody gave/),
    expect.stringMatching(/missing: missing/),
    expect.stringMatching(/k4: not tried/),
  ]);
});

it("counts an RSA key twice, as sshd does", async () => {
  const rsa = ["r1", "r2", "r3"].map((name) => makeKey(name, "", "-t", "rsa", "-b", "2048"));
  const { offers } = await new Identities(undefined).offersFor({ ...wanted, configured: rsa });
  expect(offers).toHaveLength(2);
});

it.each([
  ["no key at all", "hello\n"],
  ["a public key", "ssh-ed25519 AAAA\n"],
])("refuses %s that was named", async (_what, text) => {
  const file = join(folder, "odd");
  writeFileSync(file, text);
  await expect(new Identities(undefined).offersFor({ ...wanted, named: file })).rejects.toThrow(/cannot be used/);
});

it("reads the public half of a locked key from the file itself", () => {
  const [, encoded = ""] = readFileSync(`${locked}.pub`, "utf8").split(" ");
  expect(publicHalf(readFileSync(locked))?.toString("base64")).toBe(encoded);
  expect(publicHalf(Buffer.from("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END"))).toBeUndefined();
});
