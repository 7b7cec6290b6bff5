import { sh } from "@keybuzz/runner";

/**
 * Shell functions around apt-get. Nothing asks, nothing is restarted behind the playbook's back, configuration files that
 * somebody changed stay, and another apt on the host (unattended-upgrades, apt-daily) is waited for.
 *
 * - `kb_apt WORD...`: apt-get.
 * - `kb_fetch_index OPTION...`: `apt-get update`, where a source that cannot be read is an error. It does not wait for the
 *   lock of the lists by itself, as apt does for dpkg's.
 * @see https://manpages.debian.org/trixie/apt/apt.conf.5.en.html
 */
export const APT_GET = sh`export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l UCF_FORCE_CONFFOLD=1
kb_apt() {
  apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
kb_fetch_index() {
  kb_until=$(( $(date +%s) + 120 ))
  until kb_said=$(kb_apt -o APT::Update::Error-Mode=any "$@" update 2>&1); do
    printf '%s\n' "$kb_said" >&2
    case $kb_said in *"Could not get lock"*) ;; *) return 100 ;; esac
    [ "$(date +%s)" -lt "$kb_until" ] || { echo "waited 120 s for another apt to end" >&2; return 100; }
    sleep 1
  done
}`;
