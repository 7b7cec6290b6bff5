import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controllerArgv, labEnvironment } from "@keybuzz/lab";
import { $ } from "zx";
import type { BenchHost, BenchLab } from "./bench-lab.ts";
import { type Measured, measured } from "./measure.ts";

/**
 * What is run:
 * - `first`: all 50 tasks on hosts that have none of it;
 * - `files`: the 20 files alone, from scratch;
 * - `converged`: all 50 tasks, nothing to do;
 * - `check`: the same in check mode.
 */
export const KINDS = ["first", "files", "converged", "check"] as const;
export type Kind = (typeof KINDS)[number];

export interface Contestant {
  readonly name: string;
  /** Ansible's minutes vary by a few per cent; once is enough of them. */
  readonly slow: boolean;
  /** @throws Error where the run's own words are not those of a run that did its work */
  run(kind: Kind, hosts: readonly BenchHost[]): Promise<Measured>;
}

const BENCH = join(import.meta.dirname, "..");
const PEERS = join(BENCH, "peers");
const MITOGEN = "/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy";

interface Tool {
  readonly name: string;
  readonly slow: boolean;
  argv(kind: Kind, hosts: readonly BenchHost[]): readonly string[];
  env(kind: Kind, hosts: readonly BenchHost[]): NodeJS.ProcessEnv;
  /** A line that each host has to have in what the run told. */
  line(kind: Kind): RegExp;
}

/** The tools that W50 is written for, on the hosts of a lab. */
export class Contestants {
  readonly folder = mkdtempSync(join(tmpdir(), "keybuzz-bench-"));
  readonly #lab: BenchLab;

  constructor(lab: BenchLab) {
    this.#lab = lab;
    const { KB_SSH_KEY = "", KB_KNOWN_HOSTS = "" } = labEnvironment(lab.name);
    const config = join(this.folder, "ssh_config");
    writeFileSync(config, `Host *\n  IdentityFile ${KB_SSH_KEY}\n  UserKnownHostsFile ${KB_KNOWN_HOSTS}\n`);
    writeFileSync(join(this.folder, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`, { mode: 0o755 });
  }

  /** All of them, but those whose names hold one of these words. */
  list(without: readonly string[]): readonly Contestant[] {
    const tools = [this.#kb(), this.#shell(), this.#ansible(), this.#mitogen()];
    return tools
      .filter(({ name }) => !without.some((word) => word !== "" && name.toLowerCase().includes(word)))
      .map((tool) => ({
        name: tool.name,
        slow: tool.slow,
        run: async (kind, hosts) => {
          await this.#closeMasters();
          const run = await measured(this.#lab.name, tool.argv(kind, hosts), tool.env(kind, hosts));
          const good = run.told.match(tool.line(kind))?.length ?? 0;
          if (good !== hosts.length) {
            throw new Error(
              `${tool.name}, ${kind}: the run does not count: ${good} of ${hosts.length} hosts said what they should\n${run.told.slice(-3e5)}`,
            );
          }
          return run;
        },
      }));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #kb(): Tool {
    return {
      name: "kb",
      slow: false,
      argv: (kind, hosts) => [
        join(BENCH, "../kb"),
        "play",
        join(BENCH, "w50/w50.ts"),
        "-i",
        this.#write(
          "hosts.yml",
          `all:\n  hosts:\n${hosts.map(({ name, address }) => `    ${name}: { ansible_host: ${address} }\n`).join("")}`,
        ),
        ...(kind === "files" ? ["-e", "only=files"] : []),
        ...(kind === "check" ? ["--check"] : []),
      ],
      env: () => ({}),
      line: (kind) =>
        kind === "first"
          ? /^\S+ +\d+ +[1-9]\d* +0 +0 +0/gm
          : kind === "files"
            ? /^\S+ +0 +20 +0 +0 +0/gm
            : kind === "check"
              ? // Ten files hold the host's name, and one host of the lab may have several.
                /^\S+ +(50 +0|40 +10) +0 +0 +0/gm
              : /^\S+ +50 +0 +0 +0 +0/gm,
    };
  }

  #shell(): Tool {
    return {
      name: "shell script",
      slow: false,
      argv: () => [join(PEERS, "shell/run.sh")],
      env: (kind, hosts) => ({
        PATH: `${this.folder}:${process.env["PATH"]}`,
        CM_DIR: this.folder,
        HOSTS: hosts.map(({ address }) => `root@${address}`).join(" "),
        ...(kind === "files" ? { ONLY: "files" } : {}),
        ...(kind === "check" ? { MODE: "check" } : {}),
      }),
      line: (kind) =>
        kind === "first"
          ? /^ok=\d+ changed=[1-9]/gm
          : kind === "files"
            ? /^ok=\d+ changed=20$/gm
            : /^ok=50 changed=0$/gm,
    };
  }

  #ansible(): Tool {
    return {
      name: "Ansible, pipelining",
      slow: true,
      argv: (kind, hosts) => [
        "ansible-playbook",
        "-i",
        this.#write(
          "hosts.ini",
          `[all]\n${hosts.map(({ name, address }) => `${name} ansible_host=${address} ansible_user=root\n`).join("")}`,
        ),
        ...(kind === "files" ? ["--tags", "files"] : []),
        ...(kind === "check" ? ["--check"] : []),
        join(PEERS, "ansible/w50.yml"),
      ],
      env: () => this.#ansibleEnvironment(),
      line: (kind) =>
        kind === "first"
          ? /^\S+ +: ok=50 +changed=[1-9]\d* .*failed=0/gm
          : kind === "files"
            ? /^\S+ +: ok=20 +changed=20 .*failed=0/gm
            : // In check mode Ansible skips the two commands that a marker file guards; ten files hold the host's name.
              /^\S+ +: ok=(50|48) +changed=(0|10) .*failed=0/gm,
    };
  }

  #mitogen(): Tool {
    return {
      ...this.#ansible(),
      name: "Mitogen",
      env: () => ({
        ...this.#ansibleEnvironment(),
        ANSIBLE_STRATEGY_PLUGINS: MITOGEN,
        ANSIBLE_STRATEGY: "mitogen_linear",
      }),
    };
  }

  #ansibleEnvironment(): NodeJS.ProcessEnv {
    const { KB_SSH_KEY = "" } = labEnvironment(this.#lab.name);
    return {
      ANSIBLE_CONFIG: join(PEERS, "ansible/ansible.cfg"),
      ANSIBLE_PRIVATE_KEY_FILE: KB_SSH_KEY,
      ANSIBLE_SSH_COMMON_ARGS: `-F ${join(this.folder, "ssh_config")}`,
      ANSIBLE_SSH_CONTROL_PATH_DIR: join(this.folder, "cp"),
    };
  }

  #write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** A master that stays would spare the next run its handshake. */
  async #closeMasters(): Promise<void> {
    for (const { address } of this.#lab.hosts(5)) {
      for (const path of [join(this.folder, "cm-%C"), join(this.folder, "cp/%C")]) {
        const [command = "", ...args] = controllerArgv(this.#lab.name, [
          "ssh",
          "-o",
          `ControlPath=${path}`,
          "-O",
          "exit",
          `root@${address}`,
        ]);
        await $({ quiet: true, nothrow: true, timeout: "10s" })`${command} ${args}`;
      }
    }
  }
}

/** Installs Debian's ansible and Mitogen on the controller, where they are asked for and missing. */
export async function installPeers(without: readonly string[]): Promise<{ readonly mitogen: boolean }> {
  const wanted = { ansible: !without.includes("ansible"), mitogen: !without.includes("mitogen") };
  const packages = [...(wanted.ansible ? ["ansible"] : []), ...(wanted.mitogen ? ["ansible", "ansible-mitogen"] : [])];
  const missing = [];
  for (const name of new Set(packages)) {
    const known = await $({ nothrow: true, quiet: true })`dpkg-query -W -f='\${db:Status-Status}' ${name}`;
    if (!known.stdout.includes("installed") || known.stdout.includes("not-installed")) missing.push(name);
  }
  if (missing.length > 0) {
    console.log(`installing Debian's ${missing.join(", ")} for the comparison ...`);
    await $({ quiet: true, timeout: "10m" })`apt-get install -y --no-install-recommends ${missing}`;
  }
  return { mitogen: wanted.mitogen };
}
