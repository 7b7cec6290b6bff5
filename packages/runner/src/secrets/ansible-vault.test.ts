import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readInventory } from "../inventory/read.ts";
import { Secret } from "../secret.ts";
import { parseVaulted } from "./ansible-vault.ts";
import { SecretRef } from "./reference.ts";
import { secretResolver } from "./resolve.ts";
import { parseVaultId, vaultReader } from "./vault-passwords.ts";

/** Sealed by Debian's ansible-vault: `cases/record-vault.sh`. */
const CASES = join(import.meta.dirname, "cases");
const withBoth = vaultReader([parseVaultId("password"), parseVaultId("prod@password-prod")], CASES);

describe("what Ansible Vault has sealed", () => {
  it("opens in an inventory: values one by one when they are used, files as a whole, by the password of their label", async () => {
    const inventory = await readInventory(join(CASES, "vaulted/hosts.yml"), { readVaulted: withBoth });
    const vars = inventory.hosts.get("web1")?.vars;
    const resolve = secretResolver({ readVaulted: withBoth });
    const clear = async (name: string): Promise<unknown> => {
      const value = vars?.get(name)?.value;
      return value instanceof SecretRef ? (await resolve(value)).reveal() : value;
    };
    expect(await clear("inline_password")).toBe("canary-inline");
    expect(await clear("unicode")).toBe("pässwörd ☃");
    expect(await clear("block")).toBe("exactly16bytes!!");
    expect(await clear("labelled")).toBe("canary-labelled");
    const sealed = ["vault_user", "vault_password", "vault_port"].map((name) => vars?.get(name)?.value);
    expect(sealed.map((value) => (value instanceof Secret ? value.reveal() : value))).toEqual([
      "admin",
      "canary-in-vault-file",
      "3306",
    ]);
    expect(vars?.get("vault_on")?.value).toBe(true);
    expect(JSON.stringify([...(vars ?? [])])).not.toMatch(/canary|ANSIBLE_VAULT/);
  });

  it("is read whole or by name from a file that a reference names", async () => {
    const resolve = secretResolver({ directory: CASES, readVaulted: withBoth });
    const ref = (key?: string) => new SecretRef("ansible-vault", "prod.env", key, { file: "x", line: 1, column: 1 });
    expect((await resolve(ref("ROOT"))).reveal()).toBe("canary-of-prod");
    expect((await resolve(ref())).reveal()).toBe("ROOT=canary-of-prod");
  });

  it("is refused without a password, naming the place and the label", async () => {
    const file = join(CASES, "vaulted/hosts.yml");
    await expect(readInventory(file)).rejects.toThrow(
      /web\/vault\.yml is sealed with Ansible Vault, and there is no password/,
    );
    const none = vaultReader([], CASES);
    const prod = readFileSync(join(CASES, "prod.env"), "utf8");
    await expect(none(prod, "prod.env")).rejects.toThrow(/prod\.env is sealed with Ansible Vault with the id prod/);
  });

  it("is refused by another password, which is asked for once", async () => {
    let asked = 0;
    const wrong = vaultReader([parseVaultId("prompt")], CASES, async () => {
      asked += 1;
      return new Secret("wrong");
    });
    const prod = readFileSync(join(CASES, "prod.env"), "utf8");
    const refusal = { message: "none of the vault passwords opens prod.env", detail: "tried: prompt" };
    await expect(wrong(prod, "prod.env")).rejects.toMatchObject(refusal);
    await expect(wrong(prod, "prod.env")).rejects.toMatchObject(refusal);
    expect(asked).toBe(1);
  });

  it.each([
    ["nothing of the kind", /does not begin with \$ANSIBLE_VAULT/],
    ["$ANSIBLE_VAULT;1.0;AES\n6131", /version 1\.0 .* is not known/],
    ["$ANSIBLE_VAULT;1.1;AES\n6131", /cipher AES is not known/],
    ["$ANSIBLE_VAULT;1.1;AES256", /is damaged/],
    ["$ANSIBLE_VAULT;1.1;AES256\nzz", /is damaged/],
    ["$ANSIBLE_VAULT;1.1;AES256\n61310a62310a6331", /is damaged/],
  ])("is refused where it is damaged: %j", (text, message) => {
    expect(() => parseVaulted(text, "hosts.yml:3:4")).toThrow(message);
    expect(() => parseVaulted(text, "hosts.yml:3:4")).toThrow(/^hosts\.yml:3:4: /);
  });

  it("is refused where one bit of it was changed", async () => {
    const prod = readFileSync(join(CASES, "prod.env"), "utf8").trimEnd();
    const changed = `${prod.slice(0, -1)}${prod.endsWith("0") ? "1" : "0"}`;
    await expect(withBoth(changed, "prod.env")).rejects.toThrow(/none of the vault passwords opens|is damaged/);
  });
});

describe("the sources of vault passwords", () => {
  it.each([
    ["file", { id: undefined, file: "file" }],
    ["prod@file", { id: "prod", file: "file" }],
    ["prod@prompt", { id: "prod", file: undefined }],
    ["prompt", { id: undefined, file: undefined }],
  ])("%s", (text, expected) => {
    expect(parseVaultId(text)).toEqual(expected);
  });
});
