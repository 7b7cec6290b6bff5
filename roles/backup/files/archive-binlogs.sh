#!/bin/bash
# Sends the binary logs that are closed and not yet in the store, after closing the one in use: what a restore to a point
# in time is made from. GTIDs are the same on all members, so the logs of any one of them serve.
# Started by keybuzz-binlogs.timer on every node; the one that is elected does it. Written by kb (roles/backup).
set -euo pipefail
# shellcheck source=lib.sh
. /opt/keybuzz/backup/bin/lib.sh

# No backup runs where its lock is free: what one left behind goes.
(exec 9>"$BASE/lock" && flock -n 9 && settle) || :

exec 8>"$BASE/binlogs.lock"
flock -w 300 8 || die "another upload of binary logs runs here"
chosen=$(elected)
[[ $chosen == "$OWN" ]] || exit 0

folder=$(client -e 'SELECT @@datadir')
current=$(client -e 'SHOW MASTER STATUS' | cut -f 1,2)
read -r active position <<<"$current"
# An empty log holds its header alone; closing it each time would fill the folder with such.
events=$(client -e "SHOW BINLOG EVENTS IN '$active' FROM 4 LIMIT 8" | awk -F '\t' '$3 !~ /^(Format_desc|Gtid_list|Binlog_checkpoint)$/' | wc -l)
if ((events > 0)); then
  client -e 'FLUSH NO_WRITE_TO_BINLOG BINARY LOGS'
  active=$(client -e 'SHOW MASTER STATUS' | cut -f 1)
fi
known=$(store lsf "$ROOT/binlog/$NODE" 2>/dev/null || :)
sent=0
while read -r log _; do
  if [[ $log == "$active" ]]; then break; fi
  if grep -qxF "$log.zst.age" <<<"$known"; then continue; fi
  in_server cat "$folder$log" </dev/null | zstd -q -3 | seal | store rcat "$ROOT/binlog/$NODE/$log.zst.age"
  sent=$((sent + 1))
done < <(client -e 'SHOW BINARY LOGS')
if ((sent > 0)); then say "$sent binary logs sent (up to $position of $active before)"; fi
