#!/bin/bash
# Takes a full backup of the cluster and sends it to the store: streamed, compressed, encrypted. Nothing is kept here.
# Started by keybuzz-backup.timer on every node; the one that is elected does it. Written by kb (roles/backup).
set -euo pipefail
# shellcheck source=lib.sh
. /opt/keybuzz/backup/bin/lib.sh

# backup recent SINCE: whether a backup ended at that time (seconds since 1970) or later, or another node has to see to it.
if [[ ${1-} == recent ]]; then
  [[ $(elected) == "$OWN" ]] || exit 0
  newest=$(cat "$BASE/last-success" 2>/dev/null || echo 0)
  ((newest >= $2)) || exit 1
  exit 0
fi

# backup settle: what the unit does when a run has ended, whatever the end.
if [[ ${1-} == settle ]]; then
  rm -rf "$BASE"/work.*
  settle
  exit
fi

exec 9>"$BASE/lock"
flock -n 9 || die "another backup runs here"
chosen=$(elected)
if [[ $chosen != "$OWN" ]]; then
  say "left to ${chosen:-nobody: no member is in the cluster}"
  [[ -n $chosen ]] || exit 1
  exit 0
fi
require_healthy

work=$(mktemp -d "$BASE/work.XXXXXX")
finish() {
  settle || say "wsrep_desync stays ON: SET GLOBAL wsrep_desync = OFF"
  in_server rm -rf /tmp/kb-backup-info || :
  rm -rf "$work"
}
trap finish EXIT

name=$(date -u +%Y-%m-%dT%H-%M-%SZ)_$NODE
started=$(date -u +%FT%TZ)
# What it cannot keep up with meanwhile must not slow the writers; ProxySQL takes it out of the readers.
if [[ $(client -e 'SELECT @@GLOBAL.wsrep_desync') == 0 ]]; then
  touch "$BASE/desynced"
  client -e 'SET GLOBAL wsrep_desync = ON'
fi

say "$name begins"
in_server rm -rf /tmp/kb-backup-info
set +e
in_server mariadb-backup --backup --user=root --galera-info --stream=mbstream --extra-lsndir=/tmp/kb-backup-info 2>"$work/log" |
  zstd -q -3 -T0 | seal | tee >(sha256sum >"$work/sum") | store rcat "$ROOT/full/$name.mbstream.zst.age"
codes=("${PIPESTATUS[@]}")
set -e
if [[ ${codes[*]} != "0 0 0 0 0" ]] || ! grep -q 'completed OK!' "$work/log"; then
  tail -n 20 "$work/log" >&2
  store deletefile "$ROOT/full/$name.mbstream.zst.age" 2>/dev/null || :
  die "$name failed (mariadb-backup, zstd, age, tee, rclone: ${codes[*]})"
fi

# noted NAME: what mariadb-backup wrote beside the stream; older versions have another prefix.
noted() { { in_server cat "/tmp/kb-backup-info/mariadb_backup_$1" || in_server cat "/tmp/kb-backup-info/xtrabackup_$1"; } 2>/dev/null; }
noted info >"$work/info" || die "mariadb-backup left no information beside $name"
info() { sed -n "s/^$1 = //p" "$work/info"; }
gtid=$(info binlog_pos | sed -n "s/.*GTID of the last change '\([^']*\)'.*/\1/p")
version=$(info server_version)
bytes=$(store size --json "$ROOT/full/$name.mbstream.zst.age" | sed -n 's/.*"bytes":\([0-9]*\).*/\1/p')

snapshot=
if [[ $FINGERPRINT == yes ]]; then
  fingerprint "$SNAPSHOT_POSITION" client >"$work/tables"
  snapshot=$(head -n 1 "$work/tables")
  tail -n +2 "$work/tables" | store rcat "$ROOT/full/$name.tables"
fi
settle

# Its presence says that the backup is whole, so it comes last.
store rcat "$ROOT/full/$name.json" <<JSON
{"name":"$name","node":"$NODE","started":"$started","ended":"$(date -u +%FT%TZ)","server":"$version","bytes":${bytes:-0},"sha256":"$(cut -d' ' -f1 "$work/sum")","gtid":"$gtid","fingerprint_gtid":"$snapshot"}
JSON
date +%s >"$BASE/last-success.new"
mv -f "$BASE/last-success.new" "$BASE/last-success"
say "$name is whole: $bytes bytes, GTID $gtid"

"$BASE/bin/archive-binlogs"

# Retention: whole backups older than KEEP_DAYS go, but never the newest KEEP_LEAST, nor what another cluster put here.
limit=$(date -u -d "$KEEP_DAYS days ago" +%Y-%m-%dT%H-%M-%SZ)
mapfile -t whole < <(store lsf "$ROOT/full" --include '*.json' | sort -r)
for ((i = KEEP_LEAST; i < ${#whole[@]}; i++)); do
  old=${whole[i]%.json}
  [[ $old < $limit ]] || continue
  say "$old is older than $KEEP_DAYS days: removed"
  # The mark of wholeness first: half a backup must not look like one.
  store deletefile "$ROOT/full/$old.json"
  for part in mbstream.zst.age tables; do store deletefile "$ROOT/full/$old.$part" 2>/dev/null || :; done
done
# Parts of runs that were cut off.
while read -r part; do
  if [[ $part < $limit ]] && ! printf '%s\n' "${whole[@]}" | grep -qxF "${part%%.*}.json"; then
    store deletefile "$ROOT/full/$part" </dev/null
  fi
done < <(store lsf "$ROOT/full" --exclude '*.json')
oldest=$(store lsf "$ROOT/full" --include '*.json' | sort | head -n 1)
if [[ -n $oldest ]]; then
  # Binary logs serve from the oldest backup on.
  store delete "$ROOT/binlog" --min-age "$(($(date +%s) - $(date -u -d "$(sed 's/_.*//; s/T\(..\)-\(..\)-\(..\)Z/T\1:\2:\3Z/' <<<"$oldest")" +%s) + 3600))s" 2>/dev/null || :
fi
