#!/bin/bash
# Starts MariaDB as a member of its Galera cluster, in one of two places:
#
#   start-member container   in a container of an image that keeps the official image's conventions, in front of its
#                            entrypoint
#   start-member unit        before mariadb.service of Debian's package starts the server (ExecStartPre, as root)
#
# What it is for:
# - A first member is bootstrapped only where a flag asks for it, and the flag is gone before the server starts. So no
#   restart ever bootstraps. A flag that is old, or would do harm, is not followed.
# - After a crash the server is told its place in the cluster's history, so that its peers send it what it missed and
#   not everything.
# - A member that cannot go on by itself waits until a peer listens, instead of failing and losing its saved place.
# - A member whose data is gone waits to be told that this is meant.
# - No data is ever removed: what cannot stay where it is is moved aside, under a name that says when and why.
set -euo pipefail

readonly CONTAINER_DATA=/var/lib/mysql
readonly CONTAINER_CONF=/etc/mysql/conf.d/zz-keybuzz.cnf
readonly UNIT_DATA=/opt/keybuzz/mariadb/data
readonly UNIT_CONF=/etc/mysql/mariadb.conf.d/zz-keybuzz.cnf
readonly STATE=/opt/keybuzz/mariadb/state
# Seconds for which a flag counts: a run that armed it and was killed must not bootstrap tomorrow.
readonly FLAG_LIFE=600
readonly NO_CLUSTER=00000000-0000-0000-0000-000000000000

# Set where a recovery's request is followed: what InnoDB said.
going_on_at=

say() { echo "start-member: $*" >&2; }

# saved FIELD: its value in grastate.dat; nothing where the file is missing or empty.
saved() { sed -n "s/^$1: *//p" "$data/grastate.dat" 2>/dev/null || :; }

has_tables() { [[ -e $data/ibdata1 ]]; }

has_place() {
  local uuid
  uuid=$(saved uuid)
  [[ -n $uuid && $uuid != "$NO_CLUSTER" ]]
}

# Tables that a first start of ours made and that never were part of a cluster: nothing is lost with them.
is_unborn() { [[ -e $data/.keybuzz-first-start ]] && ! has_place; }

is_empty() { ! has_place && { ! has_tables || is_unborn; }; }

# What a run of ours began to move aside must not start half.
is_moving_aside() { [[ -e $STATE/moving-aside ]]; }

was_stopped_cleanly() { has_place && [[ $(saved seqno) != -1 ]]; }

setting() { sed -n "s/^$1[[:space:]]*=[[:space:]]*//p" "$conf" | tail -n 1; }

# Whether any other member listens for the group: then there is, or may be, a cluster.
a_peer_listens() {
  local peers own peer
  peers=$(setting wsrep_cluster_address) own=$(setting wsrep_node_address)
  peers=${peers#gcomm://}
  for peer in ${peers//,/ }; do
    [[ $peer == "$own" ]] && continue
    if timeout 1 bash -c ': <"/dev/tcp/$0/4567"' "$peer" 2>/dev/null; then
      say "$peer listens"
      return 0
    fi
  done
  return 1
}

# The place in the cluster's history that InnoDB knows.
innodb_place() {
  mariadbd --user=mysql --wsrep-recover --disable-log-error 2>&1 |
    sed -n 's/.*WSREP: Recovered position: *//p' | tail -n 1
}

# goes_on_from UUID:SEQNO: whether the data here is the one that a recovery measured and compared with all others.
goes_on_from() {
  local place
  if was_stopped_cleanly; then place=$(saved uuid):$(saved seqno); else place=$(innodb_place); fi
  if [[ ${place%%,*} != "$1" ]]; then
    say "not bootstrapping: the data here is at ${place:-no place}, and the request is for $1"
    return 1
  fi
  was_stopped_cleanly || going_on_at=$place
  if has_place; then
    sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' "$data/grastate.dat"
  else
    # An emptied file: without a UUID in it the server would make a new one, whatever place it is told.
    printf '%s\n' '# GALERA saved state' 'version: 2.1' "uuid:    ${1%%:*}" 'seqno:   -1' 'safe_to_bootstrap: 1' \
      >"$data/grastate.dat"
    chown --reference="$data/ibdata1" "$data/grastate.dat"
  fi
}

# Takes the flag away, and says whether it is to be followed. Its text is empty, or `at UUID:SEQNO`.
take_bootstrap_flag() {
  local flag=$STATE/bootstrap age asked
  [[ -e $flag ]] || return 1
  age=$(($(date +%s) - $(stat -c %Y "$flag")))
  asked=$(<"$flag")
  mv -f "$flag" "$flag.taken"
  sync "$STATE"
  if ((age > FLAG_LIFE)); then
    say "not bootstrapping: the request is $age s old"
  elif a_peer_listens; then
    say "not bootstrapping: there is, or may be, a cluster already"
  elif is_moving_aside; then
    say "not bootstrapping: the data here is being moved aside"
  elif [[ $asked == "at "* ]]; then
    goes_on_from "${asked#at }"
    return
  elif is_empty; then
    return 0
  elif was_stopped_cleanly && [[ $(saved safe_to_bootstrap) == 1 ]]; then
    return 0
  else
    say "not bootstrapping: the data here was not the last to be stopped (see grastate.dat)"
  fi
  return 1
}

# The host was part of a cluster, and its data is gone: a volume that is not mounted looks like this. A peer's copy
# would go to the wrong disk.
has_lost_its_data() { is_moving_aside || { [[ -e $STATE/cluster ]] && is_empty; }; }

# A crashed member restores its last view together with the others; all the rest needs a peer.
can_go_on_alone() { ! is_moving_aside && has_place && ! was_stopped_cleanly && [[ -s $data/gvwstate.dat ]]; }

# move_aside WHY: out of the server's way, on the same volume. The mark of a first start goes last: until then this is
# begun again.
move_aside() {
  local aside
  aside=$data/data.moved-aside-$(date -u +%Y%m%dT%H%M%SZ)-$1
  install -d -o mysql -g mysql -m 0700 "$aside"
  find "$data" -mindepth 1 -maxdepth 1 ! -name 'data.moved-aside-*' ! -name .keybuzz-first-start -exec mv -t "$aside" {} +
  mv "$data/.keybuzz-first-start" "$aside"
  say "what an earlier first start left is in $aside"
}

begin_first_start() {
  say "the first member of a new cluster"
  # An earlier first start may have ended anywhere in the middle of making the tables.
  if is_unborn; then move_aside unborn; fi
  install -o mysql -g mysql -m 0600 /dev/null "$data/.keybuzz-first-start"
}

# The member's place in the cluster's history, as an argument for the server; nothing where grastate.dat has it.
recovered_position() {
  local place=$going_on_at
  if [[ -z $place ]]; then
    has_tables && has_place && ! was_stopped_cleanly || return 0
    place=$(innodb_place)
  fi
  if [[ -n $place && $place != "$NO_CLUSTER"* ]]; then
    say "recovered position $place"
    echo "--wsrep_start_position=$place"
  fi
}

# Times of the last five starts, in seconds: whoever waits for the member sees by them that it fails again and again.
note_start() {
  # What a later change of the options is held against. What a restart was asked for, and the member drained for, is done.
  install -m 0600 "$conf" "$STATE/applied.cnf"
  rm -f "$STATE/drained" "$STATE/restart"
  # From here on the tables have a history, and are no first start's any more.
  if has_place; then rm -f "$data/.keybuzz-first-start"; fi
  { tail -n 4 "$STATE/starts" 2>/dev/null || :; date +%s; } >"$STATE/starts.new"
  mv -f "$STATE/starts.new" "$STATE/starts"
}

start_in_container() {
  data=$CONTAINER_DATA conf=$CONTAINER_CONF
  local arguments=() place why told=
  # Process 1 gets no signal that it does not ask for.
  trap 'exit 0' TERM INT
  until can_go_on_alone; do
    if take_bootstrap_flag; then
      arguments+=(--wsrep-new-cluster)
      break
    fi
    if has_lost_its_data; then
      why="the data of this member is gone: is its volume mounted? Waiting for kb play galera.ts"
    elif a_peer_listens; then
      break
    else
      why="no peer listens on port 4567: waiting for one, or to be told to bootstrap (kb play galera.ts)"
    fi
    [[ $why == "$told" ]] || say "$why"
    told=$why
    sleep 1 &
    wait $!
  done
  if is_empty; then
    if ((${#arguments[@]} > 0)); then
      begin_first_start
    elif ! has_tables; then
      # With a folder of this name the image makes no tables: a peer sends them.
      install -d -o mysql -g mysql -m 0700 "$data/mysql"
    fi
  fi
  place=$(recovered_position)
  [[ -z $place ]] || arguments+=("$place")
  note_start
  trap - TERM INT
  exec docker-entrypoint.sh mariadbd "${arguments[@]}"
}

# What the unit reads before it starts the server, and removes once that is up; we, before every other start.
readonly UNIT_NEW=/run/mysqld/wsrep-new-cluster
readonly UNIT_POSITION=/run/mysqld/wsrep-start-position

prepare_unit() {
  data=$UNIT_DATA conf=$UNIT_CONF
  rm -f "$UNIT_NEW" "$UNIT_POSITION"
  if take_bootstrap_flag; then
    if is_empty; then
      begin_first_start
      mariadb-install-db --user=mysql --datadir="$data" --skip-test-db --auth-root-authentication-method=socket >&2
    fi
    echo '_WSREP_NEW_CLUSTER=--wsrep-new-cluster' >"$UNIT_NEW"
  elif has_lost_its_data; then
    say "the data of this member is gone: is its volume mounted? Trying again later; kb play galera.ts tells more"
    exit 75
  elif ! can_go_on_alone && ! a_peer_listens; then
    say "no peer listens on port 4567: trying again later, or when told to bootstrap (kb play galera.ts)"
    # EX_TEMPFAIL: the unit tries again.
    exit 75
  fi
  note_start
  echo "_WSREP_START_POSITION=$(recovered_position)" >"$UNIT_POSITION"
}

case ${1-} in
  container) start_in_container ;;
  unit) prepare_unit ;;
  *)
    say "usage: start-member container|unit"
    exit 64
    ;;
esac
