import { type Sh, sh, shLines } from "@keybuzz/runner";
import { APT_GET } from "../packaging/apt-get.ts";

const INDEX = sh`kb_stale() { [ -z "$(find /var/lib/apt/lists -maxdepth 0 -newermt "-$1 seconds")" ]; }
kb_refreshed=
# apt-get leaves the directory's time alone where nothing was new; the age is read from it.
kb_refresh() { kb_fetch_index && touch /var/lib/apt/lists && kb_refreshed=1; }
kb_unknown() { apt-cache policy -- "$@" | awk ${`
BEGIN { for (i = 1; i < ARGC; i++) { asked[i] = ARGV[i]; ARGV[i] = "" } count = ARGC - 1; ARGC = 1 }
/^[^ ].*:$/ { name = substr($0, 1, length($0) - 1) }
/^  Candidate: / && $2 != "(none)" { known[name] = 1 }
END { for (i = 1; i <= count; i++) if (!(asked[i] in known)) print asked[i] }`} "$@"; }`;

/**
 * An apt that was killed leaves dpkg with a journal or with packages that are unpacked and not configured; until they
 * are, apt refuses to work. dpkg itself does not wait for its lock.
 */
const REPAIR = sh`kb_until=$(( $(date +%s) + 120 ))
while [ -n "$(ls -A /var/lib/dpkg/updates)$(dpkg --audit)" ]; do
  kb_said=$(dpkg --force-confdef --force-confold --configure -a 2>&1) && break
  case $kb_said in
    *"locked by another process"*) ;;
    *) printf '%s\n' "$kb_said" >&2; break ;;
  esac
  [ "$(date +%s)" -lt "$kb_until" ] || { printf 'waited 120 s for another dpkg to end\n%s\n' "$kb_said" >&2; exit 100; }
  sleep 1
done`;

export interface Install {
  /** Packages alone, for the question whether the index knows them. */
  readonly names: readonly string[];
  /** As apt-get takes them: `name` or `name=version`. */
  readonly wishes: readonly string[];
  readonly recommends: boolean;
  readonly allowDowngrade: boolean;
  readonly cacheValidSeconds: number;
}

/** Installs or upgrades; refreshes the package index first where it is old, lacks a package, or turns out to be outdated. */
export function installScript({ names, wishes, recommends, allowDowngrade, cacheValidSeconds }: Install): Sh {
  const options = [
    recommends ? "--install-recommends" : "--no-install-recommends",
    ...(allowDowngrade ? ["--allow-downgrades"] : []),
  ];
  return shLines([
    APT_GET,
    INDEX,
    REPAIR,
    sh`kb_install() { kb_apt install ${options} -- ${wishes}; }
if kb_stale ${cacheValidSeconds}; then kb_refresh || exit; fi
if [ -n "$(kb_unknown ${names})" ] && [ -z "$kb_refreshed" ]; then kb_refresh || exit; fi
kb_lost=$(kb_unknown ${names})
if [ -n "$kb_lost" ]; then
  echo "no package to install in this host's package sources, which were refreshed just now:" $kb_lost >&2
  exit 100
fi
kb_install && exit 0
# An index that is not old may still name files that the server has replaced since.
[ -z "$kb_refreshed" ] || exit 100
kb_refresh && kb_install`,
  ]);
}

/** Removes packages, and what cannot be without them, as `apt-get remove` does. */
export function removeScript(names: readonly string[], purge: boolean): Sh {
  return shLines([APT_GET, REPAIR, sh`kb_apt ${purge ? "purge" : "remove"} -- ${names}`]);
}
