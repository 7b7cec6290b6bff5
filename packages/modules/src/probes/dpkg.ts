import { askBatch, type Batch, type Probe, sh } from "@keybuzz/runner";

/** A package as dpkg knows it. */
export interface PackageRecord {
  /** dpkg's word for how far it got: `installed`, `config-files`, `half-configured`, ... */
  readonly status: string;
  /** Empty where the status knows none. */
  readonly version: string;
  /** Its files are broken, so that it has to be installed again. */
  readonly reinstall: boolean;
}

// dpkg-query sorts what it prints; the answers have to stand in the order of the questions. One line a package: its
// instances (one an architecture), each ended by a slash, which no field can hold.
const IN_ORDER = `
BEGIN { FS = "\\t"; for (i = 1; i < ARGC; i++) { asked[i] = ARGV[i]; ARGV[i] = "" } count = ARGC - 1; ARGC = 1 }
{ line = $3 "\\t" $4 "\\t" $5 "/"; found[$1] = found[$1] line; found[$1 ":" $2] = found[$1 ":" $2] line }
END { for (i = 1; i <= count; i++) print found[asked[i]] }`;

const installed: Batch = {
  name: "dpkg",
  render: (names) => ({
    script: sh`kb_all=$(dpkg-query -W -f='\${Package}\t\${Architecture}\t\${db:Status-Status}\t\${Version}\t\${db:Status-Eflag}\n' -- \
  ${names} 2>/dev/null); kb_rc=$?
# 1: some package is unknown to dpkg, which is an answer. 2 and above: dpkg-query could not read its database.
[ "$kb_rc" -le 1 ] || { dpkg-query -W -f= -- ${names} >/dev/null; exit "$kb_rc"; }
printf '%s\n' "$kb_all" | awk ${IN_ORDER} ${names}`,
  }),
  split: (stdout, names) => {
    const lines = stdout.split("\n");
    return names.map((_, index) => `${lines[index] ?? ""}\n`);
  },
};

/**
 * What dpkg knows about a package (`name` or `name:architecture`); `null` where it knows nothing. All that a list of
 * tasks asks costs one `dpkg-query`.
 * @see https://manpages.debian.org/trixie/dpkg/dpkg-query.1.en.html
 */
export function packageRecord(name: string): Probe<PackageRecord | null> {
  return askBatch(installed, name, ({ stdout, stderr, exitCode }) => {
    if (exitCode === 127) throw new Error("this host has no dpkg-query: apt needs Debian or a system derived from it");
    if (exitCode !== 0) throw new Error(`dpkg-query could not read the package database: ${stderr.trim()}`);
    const instances = stdout.trim().split("/").filter(Boolean).map(parseInstance);
    return instances.find(({ status }) => status === "installed") ?? instances[0] ?? null;
  });
}

function parseInstance(text: string): PackageRecord {
  const [status = "", version = "", flag = ""] = text.split("\t");
  if (!/^[a-z-]+$/.test(status)) throw new Error(`dpkg-query answered ${JSON.stringify(text)}, which is no status`);
  return { status, version, reinstall: flag === "reinstreq" };
}
