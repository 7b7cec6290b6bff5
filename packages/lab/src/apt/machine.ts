import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../command.ts";
import { aptCacheDir } from "../lab-dir.ts";
import type { MirrorOptions } from "./mirror.ts";
import { type AptSource, chooseMirror, type DebianMirror, parseProxy, parseSources, seenByHosts } from "./sources.ts";

/** How this machine's packages reach it, and what the hosts are told of it. */
export interface MachinePackages {
  /** The mirror's archives by the URLs that the hosts use. */
  readonly mirror: DebianMirror;
  /** Names that the hosts' /etc/hosts leads to the controller. */
  readonly serverNames: readonly string[];
  readonly mirrorOptions: MirrorOptions;
}

/**
 * Read the machine's own package sources and proxy; `KB_LAB_MIRROR` overrules the former.
 *
 * @throws {LabError} when they name no Debian mirror.
 */
export async function readMachinePackages(): Promise<MachinePackages> {
  const override = process.env["KB_LAB_MIRROR"];
  const chosen = chooseMirror(readSources("/etc/apt"), releaseCodename(), override);
  const { mirror, upstreams } = seenByHosts(chosen);
  const proxy = parseProxy(await outputOf(["apt-config", "dump"]));
  return {
    mirror,
    serverNames: upstreams.map(({ name }) => name),
    mirrorOptions: { cacheDir: aptCacheDir(), upstreams, ...(proxy === undefined ? {} : { proxy }) },
  };
}

function readSources(aptDir: string): readonly AptSource[] {
  const parts = join(aptDir, "sources.list.d");
  const files = existsSync(parts) ? readdirSync(parts).toSorted() : [];
  return [join(aptDir, "sources.list"), ...files.map((file) => join(parts, file))]
    .filter((file) => existsSync(file) && /\.(list|sources)$/.test(file))
    .flatMap((file) => parseSources(readFileSync(file, "utf8"), file.endsWith(".list") ? "list" : "sources"));
}

function releaseCodename(): string {
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown";
}
