import { BugError } from "./errors.ts";
import { ask, type Probe } from "./probe.ts";
import { sh } from "./sh.ts";

/** One network interface. */
export interface NetworkInterface {
  readonly name: string;
  /** Empty where it has none. */
  readonly mac: string;
  readonly mtu: number;
  /** `ADDRESS/PREFIX` each; empty where the host has no ip(8). */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** One line of the kernel's table of mounts. */
export interface MountedFileSystem {
  readonly source: string;
  readonly path: string;
  readonly fstype: string;
  readonly options: readonly string[];
}

/** What a host is, as it says itself. */
export interface Facts {
  readonly hostname: string;
  readonly os: {
    /** `debian`, `ubuntu`, `rocky`: `ID` of os-release(5). */
    readonly id: string;
    /** `debian`, `redhat`, `suse`, `arch`, `alpine`; the id itself for any other. */
    readonly family: string;
    /** `13`, `24.04`; empty for a rolling release. */
    readonly release: string;
    /** `trixie`; empty where the release has none. */
    readonly codename: string;
    /** For people: `Debian GNU/Linux 13 (trixie)`. */
    readonly name: string;
  };
  /** `uname -r`. */
  readonly kernel: string;
  /** `uname -m`: `x86_64`, `aarch64`. */
  readonly arch: string;
  /** Processors that this connection's programs may run on. */
  readonly cpus: number;
  readonly memoryMib: number;
  readonly swapMib: number;
  /** Where packets to everywhere else leave; `null` where there is no such route. */
  readonly defaultIpv4: { readonly address: string; readonly interface: string; readonly gateway: string } | null;
  readonly interfaces: readonly NetworkInterface[];
  readonly mounts: readonly MountedFileSystem[];
  /** systemd-detect-virt(1)'s word for the machine: `kvm`, `vmware`, `none`; `unknown` where it is not installed. */
  readonly virtualization: string;
  /** Its word for the container, `null` outside of one. */
  readonly container: string | null;
  /** The host's clock when it was asked, in milliseconds since 1970; whole seconds. */
  readonly timeMs: number;
}

/** The facts of several hosts. */
export class HostFacts {
  readonly #byName: ReadonlyMap<string, Facts>;

  /** @internal */
  constructor(entries: Iterable<readonly [string, Facts]>) {
    this.#byName = new Map(entries);
  }

  /** Names of the hosts that answered. */
  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** @throws BugError for a host that was not asked, or has left the run */
  of({ name }: { readonly name: string }): Facts {
    const facts = this.#byName.get(name);
    if (facts === undefined) throw new BugError(`the facts of ${name} are not known`, { host: name });
    return facts;
  }
}

/** Sections after a line `== NAME` each, and no single quote, so that it can be the first thing that a shell is told. */
export const FACTS_SCRIPT = sh`PATH=$PATH:/usr/sbin:/sbin; LC_ALL=C; export PATH LC_ALL
echo "== uname"; uname -n; uname -r; uname -m; nproc; date +%s
echo "== os"; cat /etc/os-release /usr/lib/os-release 2>/dev/null
echo "== memory"; while read -r kb_key kb_value kb_unit; do
  case $kb_key in MemTotal:|SwapTotal:) echo "$kb_key $kb_value" ;; esac
done </proc/meminfo
echo "== mounts"; cat /proc/self/mounts
echo "== links"; for kb_link in /sys/class/net/*; do
  [ -e "$kb_link/mtu" ] || continue
  kb_mac=; { read -r kb_mac <"$kb_link/address"; read -r kb_mtu <"$kb_link/mtu"; } 2>/dev/null
  echo "\${kb_link##*/} $kb_mtu $kb_mac"
done
echo "== addresses"; ip -o address show 2>/dev/null
echo "== route"; ip -4 -o route show default 2>/dev/null
echo "== virtualization"; systemd-detect-virt --vm 2>/dev/null; systemd-detect-virt --container 2>/dev/null
echo "== end"`;

/**
 * What a host is, as a question of its own, to be joined with others; `hosts.facts()` asks it once a run, together with
 * connecting.
 * @see https://www.freedesktop.org/software/systemd/man/latest/os-release.html
 */
export function factsProbe(): Probe<Facts> {
  return ask(FACTS_SCRIPT, ({ stdout }) => parseFacts(stdout));
}

/** Versions of all packages that are installed, by name; empty where the host has no dpkg. */
export function packageVersions(): Probe<ReadonlyMap<string, string>> {
  const format = "$" + "{db:Status-Status} $" + "{binary:Package} $" + "{Version}\n";
  return ask(sh`! command -v dpkg-query >/dev/null || dpkg-query -W -f ${format}`, ({ stdout, stderr, exitCode }) => {
    if (exitCode !== 0) throw new Error(`dpkg-query could not read the package database: ${stderr.trim()}`);
    return new Map(
      stdout.split("\n").flatMap((line): [string, string][] => {
        const [status, name = "", version = ""] = line.split(" ");
        return status === "installed" ? [[name, version]] : [];
      }),
    );
  });
}

function parseFacts(stdout: string): Facts {
  const sections = new Map(
    stdout.split(/^== /m).map((text): [string, readonly string[]] => {
      const [name = "", ...lines] = text.split("\n");
      return [name, lines.filter((line) => line !== "")];
    }),
  );
  const section = (name: string): readonly string[] => sections.get(name) ?? [];
  const [hostname = "", kernel = "", arch = "", cpus = "", seconds = ""] = section("uname");
  if (!sections.has("end") || !/^\d+$/.test(seconds)) throw new Error("the host's facts were cut off");
  const memory = new Map(section("memory").map((line) => line.split(": ") as [string, string]));
  const [virtualization, container] = parseVirtualization(section("virtualization"));
  return {
    ...{ hostname, kernel, arch, virtualization, container },
    os: parseOs(section("os")),
    cpus: Number(cpus),
    memoryMib: Math.round(Number(memory.get("MemTotal") ?? 0) / 1024),
    swapMib: Math.round(Number(memory.get("SwapTotal") ?? 0) / 1024),
    defaultIpv4: parseRoute(section("route"), section("addresses")),
    interfaces: parseInterfaces(section("links"), section("addresses")),
    mounts: section("mounts").map(parseMount),
    timeMs: Number(seconds) * 1000,
  };
}

/** os-release(5): the first of its two places counts; values may be quoted as a shell's. */
function parseOs(lines: readonly string[]): Facts["os"] {
  const field = (name: string): string => {
    const value = lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
    return /^(["']).*\1$/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
  };
  const id = field("ID") || "linux";
  const like = [id, ...field("ID_LIKE").split(" ")];
  const family = FAMILIES.find(([, ids]) => ids.some((one) => like.includes(one)))?.[0] ?? id;
  return {
    ...{ id, family },
    release: field("VERSION_ID"),
    codename: field("VERSION_CODENAME"),
    name: field("PRETTY_NAME") || id,
  };
}

const FAMILIES: readonly (readonly [string, readonly string[]])[] = [
  ["debian", ["debian", "ubuntu"]],
  ["redhat", ["rhel", "fedora", "centos"]],
  ["suse", ["suse", "opensuse", "sles"]],
  ["arch", ["arch"]],
  ["alpine", ["alpine"]],
];

function parseInterfaces(links: readonly string[], addresses: readonly string[]): readonly NetworkInterface[] {
  return links.map((line) => {
    const [name = "", mtu = "", mac = ""] = line.split(" ");
    const own = (family: string): readonly string[] =>
      addresses.map(parseAddress).flatMap((one) => (one.name === name && one.family === family ? [one.address] : []));
    return { name, mac, mtu: Number(mtu), ipv4: own("inet"), ipv6: own("inet6") };
  });
}

/** `2: eth0    inet 10.0.0.170/24 brd 10.0.0.255 scope global eth0 ...` */
function parseAddress(line: string): { readonly name: string; readonly family: string; readonly address: string } {
  const [, name = "", family = "", address = ""] = /^\d+: (\S+?)(?:@\S+)?\s+(inet6?) (\S+)/.exec(line) ?? [];
  return { name, family, address };
}

function parseRoute(routes: readonly string[], addresses: readonly string[]): Facts["defaultIpv4"] {
  const words = (routes[0] ?? "").split(/\s+/);
  const after = (word: string): string => (words.includes(word) ? (words[words.indexOf(word) + 1] ?? "") : "");
  const name = after("dev");
  if (name === "") return null;
  const own = addresses.map(parseAddress).find((one) => one.name === name && one.family === "inet")?.address;
  return { address: after("src") || (own?.split("/")[0] ?? ""), interface: name, gateway: after("via") };
}

/** proc_pid_mounts(5): blanks, tabs, newlines and backslashes are octal. */
function parseMount(line: string): MountedFileSystem {
  const [source = "", path = "", fstype = "", options = ""] = line
    .split(" ")
    .map((word) => word.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  return { source, path, fstype, options: options.split(",") };
}

/** Two words, of the machine and of the container; none at all where systemd-detect-virt is not installed. */
function parseVirtualization([vm, container]: readonly string[]): readonly [string, string | null] {
  return [vm ?? "unknown", container === undefined || container === "none" ? null : container];
}
