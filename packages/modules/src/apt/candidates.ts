import { ask, askBatch, type Batch, mapProbe, type Probe, probeAll, sh } from "@keybuzz/runner";

/** The first word is the package's own line, `name:`; the answers have to stand in the order of the questions. */
const IN_ORDER = `
BEGIN { for (i = 1; i < ARGC; i++) { asked[i] = ARGV[i]; ARGV[i] = "" } count = ARGC - 1; ARGC = 1 }
/^[^ ].*:$/ { name = substr($0, 1, length($0) - 1) }
/^  Candidate: / { found[name] = $2 == "(none)" ? "" : $2 }
END { for (i = 1; i <= count; i++) print found[asked[i]] }`;

// Without its cache in memory, apt-cache run by root would rewrite /var/cache/apt/pkgcache.bin whenever a package has
// been installed since: a question must not write.
const newest: Batch = {
  name: "apt-candidates",
  render: (names) => ({
    script: sh`kb_all=$(apt-cache -o Dir::Cache::pkgcache= policy -- ${names}) || exit 1
printf '%s\n' "$kb_all" | awk ${IN_ORDER} ${names}`,
  }),
  split: (stdout, names) => {
    const lines = stdout.split("\n");
    return names.map((_, index) => `${lines[index] ?? ""}\n`);
  },
};

/**
 * The newest version that the host's package index offers, within its pins; `null` where it knows no such package.
 * @see https://manpages.debian.org/trixie/apt/apt-cache.8.en.html
 */
function candidate(name: string): Probe<string | null> {
  return askBatch(newest, name, ({ stdout, stderr, exitCode }) => {
    if (exitCode !== 0) throw new Error(`apt-cache could not read the package index: ${stderr.trim()}`);
    return stdout.trim() || null;
  });
}

/** The newest versions of some packages; those that the index does not know are left out. */
export function candidates(names: readonly string[]): Probe<{ readonly [name: string]: string }> {
  const each = probeAll(Object.fromEntries(names.map((name) => [name, candidate(name)])));
  return mapProbe(each, (found) =>
    Object.fromEntries(Object.entries(found).flatMap(([name, version]) => (version === null ? [] : [[name, version]]))),
  );
}

/** Whether the package index was refreshed in the last so many seconds, by apt or by this module. */
export function indexAge(seconds: number): Probe<"fresh" | "stale"> {
  const script = sh`find /var/lib/apt/lists -maxdepth 0 -newermt ${`-${seconds} seconds`}`;
  return ask(script, ({ stdout, stderr, exitCode }) => {
    if (exitCode !== 0) throw new Error(`the package index's age cannot be read: ${stderr.trim()}`);
    return stdout === "" ? "stale" : "fresh";
  });
}
