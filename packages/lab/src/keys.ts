import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { command, outputOf } from "./command.ts";
import { readHostKey } from "./host/file-system.ts";
import { labPaths } from "./lab-dir.ts";
import type { LabHost, LabSpec } from "./spec.ts";

/** What opens a lab's hosts. */
export interface LabKeys {
  /** Public half of the lab's SSH key. */
  readonly authorizedKey: string;
  /** Hash of the password of `deploy`, as in /etc/shadow. */
  readonly deployPasswordHash: string;
}

/** A lab's keys: made once, then kept for as long as the lab's directory. */
export async function ensureKeys(lab: string): Promise<LabKeys> {
  const { sshKey, deployPassword } = labPaths(lab);
  if (!existsSync(`${sshKey}.pub`)) {
    await command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", `lab ${lab}`, "-f", sshKey], { input: "y\n" });
  }
  if (!existsSync(deployPassword))
    writeFileSync(deployPassword, randomBytes(12).toString("base64url"), { mode: 0o600 });
  return {
    authorizedKey: readFileSync(`${sshKey}.pub`, "utf8"),
    // Hashed once for all hosts, by a method that is quick to compute: it guards nothing outside of a lab.
    deployPasswordHash: await outputOf(["openssl", "passwd", "-6", "-stdin"], {
      input: `${readFileSync(deployPassword, "utf8")}\n`,
    }),
  };
}

/** Write the lab's known_hosts from the keys that its hosts were given: nothing is trusted on first use. */
export function writeKnownHosts(spec: LabSpec): void {
  const lines = spec.hosts.map((host) => `${namesOf(host).join(",")} ${readHostKey(spec.name, host.name)}\n`);
  writeFileSync(labPaths(spec.name).knownHosts, lines.join(""), { mode: 0o600 });
}

function namesOf(host: LabHost): readonly string[] {
  return [host.name, ...(host.aliases ?? []), host.address];
}

/** Text of /etc/hosts: all hosts of the lab, and the package servers at the controller's address. */
export function renderEtcHosts(spec: LabSpec, gateway: string, serverNames: readonly string[]): string {
  const lines = [
    "127.0.0.1 localhost",
    "::1 localhost ip6-localhost ip6-loopback",
    ...spec.hosts.map((host) => [host.address, host.name, ...(host.aliases ?? [])].join(" ")),
    ...serverNames.map((name) => `${gateway} ${name}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** Write the controller's own /etc/hosts, which `run` puts in place of the machine's. */
export function writeControllerHosts(spec: LabSpec, gateway: string, serverNames: readonly string[]): void {
  const text = `${renderEtcHosts(spec, gateway, serverNames)}127.0.1.1 ${hostname()}\n`;
  writeFileSync(labPaths(spec.name).hostsFile, text);
}
