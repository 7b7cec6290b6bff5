#!/bin/bash
# Health check of the lab's MariaDB image. Every test named on the command line has to pass, in their order; an option
# (--defaults-file=F, --su-mysql, --replication_name=N ...) holds for the tests after it. Exit 0: healthy.
# Follows https://mariadb.com/docs/server/server-management/automated-mariadb-deployment-and-administration/docker-and-mariadb/using-healthcheck-sh
set -uo pipefail

usage() {
  echo "usage: healthcheck.sh [--su-mysql | --su=USER] [--no-defaults | --defaults-file=F | --defaults-extra-file=F]" \
    "[--defaults-group-suffix=S] [--replication_name=N] [--replication_seconds_behind_master=S] TEST..." >&2
  echo "tests: --connect --innodb_initialized --innodb_buffer_pool_loaded --galera_online --galera_ready" \
    "--mariadbupgrade --replication --replication_io --replication_sql" >&2
  exit 1
}

datadir=/var/lib/mysql
options=()
chosen_defaults=
as_user=
replication_name=
seconds_behind_limit=

# Prints the first value of a query's last column.
ask() { mariadb "${client[@]}" --batch --skip-column-names --execute="$1" 2>/dev/null | awk -F'\t' 'NR == 1 { print $NF }'; }

status_is() { [[ $(ask "SHOW GLOBAL STATUS WHERE Variable_name = '$1'") == "$2" ]]; }

# The temporary server of an initialization answers on its socket only: that is not yet up.
test_connect() {
  local answer
  answer=$(ask 'SELECT @@GLOBAL.skip_networking')
  [[ -z $answer ]] || { [[ $answer == 0 ]] && return || return 1; }
  # Whoever is refused by name and password has been answered.
  answer=$(mariadb --no-defaults --protocol=tcp --host=127.0.0.1 --connect-timeout=5 \
    --port="${port:-3306}" --user=healthcheck-unknown --execute='SELECT 1' 2>&1) && return
  [[ $answer == *'ERROR 1045'* || $answer == *'ERROR 1698'* ]]
}

test_innodb_initialized() { [[ $(ask "SELECT 1 FROM information_schema.ENGINES WHERE engine = 'innodb' AND support IN ('YES', 'DEFAULT')") == 1 ]]; }

test_innodb_buffer_pool_loaded() { [[ $(ask "SHOW GLOBAL STATUS WHERE Variable_name = 'Innodb_buffer_pool_load_status'") == *completed* ]]; }

# 4 is Synced: a donor, too, is not online.
test_galera_online() { status_is wsrep_local_state 4; }

test_galera_ready() { status_is wsrep_ready ON; }

test_mariadbupgrade() {
  local recorded=$datadir/mariadb_upgrade_info
  [[ -e $recorded ]] || recorded=$datadir/mysql_upgrade_info
  [[ -r $recorded && $(ask 'SELECT VERSION()') == "$(tr -d '\0' <"$recorded")"* ]]
}

# replication_state WANTED...: every named column of SHOW REPLICA STATUS says Yes.
replication_state() {
  local status column
  status=$(mariadb "${client[@]}" --execute="SHOW REPLICA ${replication_name:+'$replication_name'} STATUS\G" 2>/dev/null) || return 1
  for column; do
    grep -qE "^ *$column: Yes\$" <<<"$status" || return 1
  done
  [[ -z $seconds_behind_limit ]] ||
    awk -v limit="$seconds_behind_limit" '$1 == "Seconds_Behind_Master:" && $2 ~ /^[0-9]+$/ && $2 <= limit { ok = 1 }
      END { exit !ok }' <<<"$status"
}
test_replication_io() { replication_state Slave_IO_Running; }
test_replication_sql() { replication_state Slave_SQL_Running; }
test_replication() { replication_state Slave_IO_Running Slave_SQL_Running; }

set_client() {
  client=(${chosen_defaults:+"$chosen_defaults"} ${options[@]+"${options[@]}"} --connect-timeout=5)
  if [[ -z $chosen_defaults && -z $as_user && -r $datadir/.my-healthcheck.cnf ]]; then
    client=("--defaults-extra-file=$datadir/.my-healthcheck.cnf" "${client[@]}")
  fi
}

[[ $# -gt 0 ]] || usage
for argument; do
  case $argument in
    --su-mysql | --su=*)
      user=mysql
      [[ $argument == --su-mysql ]] || user=${argument#--su=}
      [[ $EUID -ne 0 ]] || exec gosu "$user" "${BASH_SOURCE[0]}" "$@"
      as_user=1
      ;;
    --no-defaults | --defaults-file=* | --defaults-extra-file=*) chosen_defaults=$argument ;;
    --defaults-group-suffix=*) options+=("$argument") ;;
    --datadir=*) datadir=${argument#*=} ;;
    --replication_name=*) replication_name=${argument#*=} ;;
    --replication_seconds_behind_master=*) seconds_behind_limit=${argument#*=} ;;
    --connect | --innodb_initialized | --innodb_buffer_pool_loaded | --galera_online | --galera_ready | \
      --mariadbupgrade | --replication | --replication_io | --replication_sql)
      set_client
      if ! "test_${argument#--}"; then
        echo "healthcheck ${argument#--} failed" >&2
        exit 1
      fi
      ;;
    *)
      echo "healthcheck.sh: unknown argument $argument" >&2
      usage
      ;;
  esac
done
