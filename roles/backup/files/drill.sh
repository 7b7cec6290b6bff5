#!/bin/bash
# drill NAME|newest: restores a backup into a scratch server of its own, replays binary logs up to the moment at
# which the backup's fingerprint was taken, and compares rows and checksum of each table. The identity that opens the
# backup is read from standard input. The cluster is not touched. Written by kb (roles/backup).
set -euo pipefail
# shellcheck source=lib.sh
. /opt/keybuzz/backup/bin/lib.sh

IFS= read -r identity || [[ -n $identity ]] || die "the identity is read from standard input"
name=$1
scratch=$(mktemp -d "$SCRATCH/drill.XXXXXX")
# The server has a user of its own, who gets the data folder below.
chmod 0711 "$scratch"
readonly server=keybuzz-drill
finish() {
  if [[ $RUNTIME == docker ]]; then
    docker rm -f "$server" >/dev/null 2>&1 || :
  elif [[ -s $scratch/pid ]]; then
    kill -9 "$(cat "$scratch/pid")" 2>/dev/null || :
  fi
  rm -rf "$scratch"
}
trap finish EXIT

unseal() { age --decrypt --identity <(printf '%s\n' "$identity"); }
# The server's programs on the scratch folder, without the cluster's server.
tool() {
  if [[ $RUNTIME == docker ]]; then
    docker run --rm -i --network none --volume "$scratch:/drill" --entrypoint "$1" "$IMAGE" "${@:2}"
  else
    "$@"
  fi
}
if [[ $RUNTIME == docker ]]; then seen=/drill; else seen=$scratch; fi

if [[ $name == newest ]]; then
  name=$(store lsf "$ROOT/full" --include '*.json' | sort | tail -n 1)
  [[ -n $name ]] || die "the store has no whole backup"
  name=${name%.json}
fi
store cat "$ROOT/full/$name.json" >"$scratch/json"
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$scratch/json"; }

mkdir "$scratch/data"
set +e
store cat "$ROOT/full/$name.mbstream.zst.age" | tee >(sha256sum | cut -d' ' -f1 >"$scratch/sum") | unseal | zstd -qdc | tool mbstream -x -C "$seen/data"
codes=("${PIPESTATUS[@]}")
set -e
[[ ${codes[*]} == "0 0 0 0 0" ]] || die "$name cannot be unpacked (rclone, tee, age, zstd, mbstream: ${codes[*]})"
[[ $(cat "$scratch/sum") == "$(field sha256)" ]] || die "$name has another checksum than when it was written"
tool mariadb-backup --prepare --target-dir="$seen/data" >"$scratch/log" 2>&1 || {
  tail -n 20 "$scratch/log" >&2
  die "$name cannot be prepared"
}

options=(--no-defaults --datadir="$seen/data" --skip-networking --socket="$seen/data/drill.sock" --wsrep-on=OFF
  --skip-log-bin --skip-grant-tables --pid-file="$seen/data/drill.pid" --innodb-buffer-pool-size=128M --user=mysql)
if [[ $RUNTIME == docker ]]; then
  docker run --rm "--volume=$scratch:/drill" --network none --entrypoint chown "$IMAGE" -R mysql:mysql /drill/data
  docker run --detach --name "$server" --network none --volume "$scratch:/drill" --entrypoint mariadbd "$IMAGE" "${options[@]}" >/dev/null
  scratch_client() { docker exec -i "$server" mariadb --no-defaults --socket=/drill/data/drill.sock --batch --skip-column-names "$@"; }
else
  chown -R mysql:mysql "$scratch/data"
  mariadbd "${options[@]}" >"$scratch/log" 2>&1 9>&- &
  echo $! >"$scratch/pid"
  scratch_client() { mariadb --no-defaults --socket="$scratch/data/drill.sock" --batch --skip-column-names "$@"; }
fi
for ((i = 0; i < 240; i++)); do
  if scratch_client -e 'SELECT 1' >/dev/null 2>&1; then break; fi
  sleep 0.5
done
scratch_client -e 'SELECT 1' >/dev/null || die "the scratch server did not come up"
say "$name is restored and serves"

goal=$(field fingerprint_gtid)
from=$(field gtid)
# Nobody may have written between the backup and its fingerprint.
if [[ -n $goal && $goal != "$from" ]]; then
  node=$(field node)
  mkdir "$scratch/data/binlog"
  # What was closed before the backup began cannot hold what came after it.
  while read -r log; do
    store cat "$ROOT/binlog/$node/$log" </dev/null | unseal | zstd -qdc >"$scratch/data/binlog/${log%.zst.age}"
  done < <(store lsf "$ROOT/binlog/$node" | sort)
  (
    cd "$scratch/data/binlog"
    shopt -s nullglob
    logs=(*)
    ((${#logs[@]} > 0)) || die "the store has no binary logs of $node"
    if [[ $RUNTIME == docker ]]; then
      docker exec "$server" mariadb-binlog --no-defaults --start-position="$from" --stop-position="$goal" "${logs[@]/#//drill/data/binlog/}"
    else
      mariadb-binlog --no-defaults --start-position="$from" --stop-position="$goal" "${logs[@]}"
    fi
  ) | scratch_client
fi
if [[ -n $goal ]]; then
  store cat "$ROOT/full/$name.tables" >"$scratch/wanted"
  fingerprint "" scratch_client >"$scratch/found"
  if ! diff "$scratch/wanted" "$scratch/found" >"$scratch/difference"; then
    head -n 40 "$scratch/difference" >&2
    die "$name: tables differ from what they were at GTID $goal (< then, > restored)"
  fi
  say "$name: $(wc -l <"$scratch/wanted") tables, $(awk '{ rows += $2 } END { print rows + 0 }' "$scratch/wanted") rows, all equal at GTID $goal"
fi
echo "$name" >"$BASE/last-drill"
