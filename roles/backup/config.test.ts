import { execFileSync } from "node:child_process";
import { Secret } from "@keybuzz/runner";
import { describe, expect, it } from "vitest";
import { type NodeConfig, remote, renderConfig } from "./config.ts";
import { BackupHost } from "./params.ts";

const node = (vars: object = {}): NodeConfig => ({
  name: "maria-03",
  address: "10.0.0.172",
  members: ["10.0.0.170", "10.0.0.171", "10.0.0.172"],
  recipients: ["age1own"],
  clusterName: "keybuzz; touch /x",
  vars: BackupHost.parse(vars),
});

/** What a shell makes of the file. */
function read(text: string): Record<string, string> {
  const out = execFileSync("sh", ["-c", `${text}\nset | grep -E '^[A-Z_]+='`], { encoding: "utf8", env: {} });
  return Object.fromEntries(
    out.split("\n").map((line) => [line.split("=")[0], line.slice(line.indexOf("=") + 1).replace(/^'|'$/g, "")]),
  );
}

describe("the scripts' configuration", () => {
  it("reaches a shell as it was meant", () => {
    expect(read(renderConfig(node({ backup_recipients: ["age1more"], mariadb_version: "10.11" })))).toMatchObject({
      RUNTIME: "docker",
      IMAGE: "mariadb:10.11",
      MEMBERS: "10.0.0.170 10.0.0.171 10.0.0.172",
      RECIPIENTS: "age1own age1more",
      ROOT: "store:/srv/keybuzz-backup/keybuzz__touch__x",
      FINGERPRINT: "yes",
    });
  });

  it("names a bucket and a prefix where the store is S3, and keeps its key a secret", () => {
    const s3 = node({
      backup_store: {
        type: "s3",
        endpoint: "https://objects.example.org",
        bucket: "kb",
        access_key_id: "id",
        secret_access_key: new Secret("canary"),
      },
    });
    expect(read(renderConfig(s3))["ROOT"]).toBe("store:kb/mariadb/keybuzz__touch__x");
    expect(JSON.stringify(remote(s3.vars, undefined))).not.toContain("canary");
    expect(remote(s3.vars, undefined).options).toMatchObject({ type: "s3", endpoint: "https://objects.example.org" });
  });
});
