import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import {
  compareSnapshots,
  down,
  exec,
  type LabHost,
  processes,
  type SnapshotEntry,
  snapshot,
  up,
  VOLATILE_PATHS,
} from "@keybuzz/lab";
import { readAgeFile } from "@keybuzz/runner";
import { type KbOptions, play, type Ran, type Running, startKb } from "./kb.ts";

/** Module 7's hosts as production has them: three nodes, two proxies, the entry point. */
export const NODES = ["maria-01", "maria-02", "maria-03"] as const;
export const PROXIES = ["proxysql-01", "proxysql-02"] as const;
export const ENTRY = "lb-01";
export const ENTRY_POINT = "10.0.0.20";
export const ALL = [...NODES, ...PROXIES, ENTRY] as const;
const ADDRESSES = ["10.0.0.170", "10.0.0.171", "10.0.0.172", "10.0.0.173", "10.0.0.174", ENTRY_POINT] as const;

const HOSTS: readonly LabHost[] = ALL.map((name, index) => ({
  name,
  address: ADDRESSES[index] ?? "",
  ...(name.startsWith("maria") ? { volumes: [{ device: "/dev/sdb", sizeMib: 4096 }] } : {}),
}));

const ROOT = resolve(import.meta.dirname, "../..");

/** What servers write while nobody changes anything. The data of the nodes is on volumes, and no part of snapshots. */
const SERVED_PATHS = [
  ...VOLATILE_PATHS,
  "/opt/keybuzz/proxysql/data",
  "/var/lib/proxysql",
  "/var/lib/containerd",
  "/var/lib/mysql",
];

/** Programs that serve: a run that finds all in order leaves them alone. */
const SERVING = /^(?:\S*\/)?(?:mariadbd|proxysql|haproxy|dockerd|containerd|containerd-shim\S*)(?: |$)/;

/** Comes and goes by itself on an idle host. */
const PASSING = /^(?:\[|sshd-session|ps |\(sd-pam\)|\S*systemd-\S+$|.*systemd --user|\(sd-|\S*agetty)/;

/** What hosts' disks hold, by host. */
export type Disks = ReadonlyMap<string, readonly SnapshotEntry[]>;

/** A lab of Module 7's hosts, with an inventory and a working directory of its own, and what tests do to it. */
export class Fleet {
  readonly lab: string;
  readonly runtime: "docker" | "native";
  readonly inventory: string;
  /** Where kb is started: its store of credentials is made in here. */
  readonly folder: string;
  /** Set once `site.ts` converged: without it the later tests have nothing to look at. */
  converged = false;

  constructor(lab: string, runtime: "docker" | "native") {
    this.lab = lab;
    this.runtime = runtime;
    this.inventory = join(ROOT, "inventories", runtime === "docker" ? "keybuzz.yml" : "keybuzz-native.yml");
    this.folder = mkdtempSync(join(tmpdir(), `kb-${lab}-`));
  }

  async up(): Promise<void> {
    await down(this.lab);
    await up({ name: this.lab, hosts: HOSTS }, { onStep: () => {} });
  }

  async down(): Promise<void> {
    await down(this.lab);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * `kb play NAME --json` of one of the project's playbooks, or of another by its path, with this fleet's inventory and
   * credentials; a `-i` counts in place of its own.
   * @throws where kb ends without a run
   */
  async play(name: string, ...flags: readonly string[]): Promise<Ran> {
    const ran = await play(this.lab, this.#arguments(name, flags), this.#options);
    if (ran.recap.length === 0) throw new Error(`kb play ${name} did not come to its end: ${ran.stderr}${ran.stdout}`);
    return ran;
  }

  /** {@link play}, to be killed. */
  start(name: string, ...flags: readonly string[]): Running {
    return startKb(this.lab, ["play", ...this.#arguments(name, flags), "--json"], this.#options);
  }

  #arguments(name: string, flags: readonly string[]): readonly string[] {
    const inventory = flags.includes("-i") ? [] : ["-i", this.inventory];
    return [resolve(ROOT, "playbooks", name), ...inventory, ...flags];
  }

  get #options(): KbOptions {
    return { cwd: this.folder };
  }

  /** Everything in kb's working directory, but the journals of runs: a check leaves one too. */
  ownFiles(): readonly string[] {
    const files = readdirSync(this.folder, { recursive: true }).map(String).sort();
    return files.filter((file) => file !== ".kb" && !file.startsWith(".kb/"));
  }

  /** The credentials that the store holds, by name. */
  async credentials(): Promise<Readonly<Record<string, string>>> {
    const at = (name: string): string => join(this.folder, "credentials", name);
    const { text } = await readAgeFile(at("mariadb.env.age"), at("age.key"));
    return Object.fromEntries(Object.entries(parseEnv(text?.reveal() ?? "")).map(([key, value]) => [key, value ?? ""]));
  }

  /** Runs a script as root on a host, from outside of its network. @throws where it fails */
  async sh(
    host: string,
    script: string,
    options: { readonly input?: string; readonly timeoutMs?: number } = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await exec(this.lab, host, ["sh", "-c", script], {
      timeoutMs: 60_000,
      ...options,
    });
    if (code !== 0) throw new Error(`${host}: ${script}\nexit ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** What each host's disk holds other than the bare system, without what servers write. */
  disks(): Disks {
    return new Map(ALL.map((host) => [host, snapshot(this.lab, host, { exclude: SERVED_PATHS })]));
  }

  /** Command lines with their process numbers of what runs for longer than a connection, on bare hosts. */
  async daemons(): Promise<readonly string[]> {
    return this.#commands((command) => !PASSING.test(command));
  }

  /** The same of what serves, and the containers: a restart or a new container changes a line. */
  async serving(): Promise<readonly string[]> {
    const containers = await this.containers();
    return [...(await this.#commands((command) => SERVING.test(command))), ...containers].sort();
  }

  /** Host, name, number and start of each container. */
  async containers(): Promise<readonly string[]> {
    if (this.runtime === "native") return [];
    const format = "'{{.Name}} {{.Id}} {{.State.StartedAt}}'";
    const lists = await Promise.all(
      [...NODES, ...PROXIES].map(async (host) => {
        const text = await this.sh(host, `docker ps -aq | xargs -r docker inspect -f ${format}`);
        return text.split("\n").map((line) => `${host}: ${line}`);
      }),
    );
    return lists.flat();
  }

  async #commands(wanted: (command: string) => boolean): Promise<readonly string[]> {
    const lists = await Promise.all(
      ALL.map(async (host) => {
        const found = (await processes(this.lab, host)).filter(({ command }) => wanted(command));
        return found.map(({ pid, command }) => `${host}: ${pid} ${command}`);
      }),
    );
    return lists.flat().sort();
  }
}

/** The paths that differ between two looks at the disks, as `host: ~ path field`. */
export function changedPaths(before: Disks, after: Disks): readonly string[] {
  return ALL.flatMap((host) =>
    compareSnapshots(before.get(host) ?? [], after.get(host) ?? []).map((change) => `${host}: ${change}`),
  );
}

/** The set that check mode predicts and that a run then makes: who, which task, which fields. */
export function changesOf(ran: Ran): readonly string[] {
  return ran.results
    .filter(({ outcome }) => outcome === "changed")
    .map(({ host, task, changes }) => `${host}: ${task}: ${changes.map(({ path }) => path).join(", ")}`)
    .sort();
}
