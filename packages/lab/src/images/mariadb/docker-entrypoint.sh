#!/bin/bash
# Entrypoint of the lab's MariaDB image: makes the data folder when there is none, then becomes the server.
# Follows what the official image documents of its environment variables and of /docker-entrypoint-initdb.d:
# https://mariadb.com/docs/server/server-management/automated-mariadb-deployment-and-administration/docker-and-mariadb
set -euo pipefail
shopt -s nullglob

say() { printf '%s [%s] [Entrypoint]: %s\n' "$(date --rfc-3339=seconds)" "$1" "$2"; }
note() { say Note "$*"; }
warn() { say Warn "$*" >&2; }
fail() {
  say ERROR "$*" >&2
  exit 1
}

# shellcheck source=accounts.sh
. /usr/local/lib/docker-entrypoint/accounts.sh

# setting NAME: gives MARIADB_NAME its value, from itself, from the file that MARIADB_NAME_FILE names, or from the same
# under the older prefix MYSQL_.
setting() {
  local target=MARIADB_$1 prefix plain file
  for prefix in MARIADB MYSQL; do
    plain=${prefix}_$1 file=${prefix}_$1_FILE
    [[ -z ${!plain-} || -z ${!file-} ]] || fail "both $plain and $file are set: set one of them"
    if [[ -n ${!file-} ]]; then
      [[ -r ${!file} ]] || fail "$file names ${!file}, which cannot be read"
      export "$target=$(<"${!file}")"
      unset "$file" # so that this script, run again as mysql, has one value and need not read the file
      return
    elif [[ -n ${!plain-} ]]; then
      export "$target=${!plain}"
      return
    fi
  done
  export "$target="
}

read_settings() {
  local name
  for name in ROOT_PASSWORD ROOT_PASSWORD_HASH ROOT_HOST RANDOM_ROOT_PASSWORD ALLOW_EMPTY_ROOT_PASSWORD \
    DATABASE USER PASSWORD PASSWORD_HASH MYSQL_LOCALHOST_USER MYSQL_LOCALHOST_GRANTS HEALTHCHECK_GRANTS \
    REPLICATION_USER REPLICATION_PASSWORD REPLICATION_PASSWORD_HASH MASTER_HOST MASTER_PORT \
    INITDB_SKIP_TZINFO AUTO_UPGRADE DISABLE_UPGRADE_BACKUP; do
    setting "$name"
  done
}

# Sets datadir, socket and port to what the server would use, from its option files and its command line.
read_server_values() {
  local errors values name value
  errors=$("$@" --verbose --help 2>&1 >/dev/null) ||
    fail "the server refuses its configuration. Tried: $* --verbose --help"$'\n'"$errors"
  # Below the rule of dashes is the table of values; words of the help text above it look like some of its names.
  values=$("$@" --verbose --help 2>/dev/null |
    awk '/^-+ -+$/ { table = 1 } table && $1 ~ /^(datadir|socket|port)$/ { print $1, $2 }')
  while read -r name value; do
    printf -v "$name" %s "${value%/}"
  done <<<"$values"
}

# The temporary server: no network, no cluster, reached through its socket alone.

start_temporary_server() {
  "$@" --skip-networking --wsrep-on=OFF --skip-slave-start --default-time-zone=SYSTEM --socket="$socket" \
    --expire-logs-days=0 --ssl-cert= --ssl-key= --ssl-ca= \
    --loose-innodb-buffer-pool-load-at-startup=0 --loose-innodb-buffer-pool-dump-at-shutdown=0 &
  server=$!
  local tries
  for ((tries = 0; tries < 300; tries++)); do
    # Being refused as a user is an answer, too: ping tells only whether the server listens.
    mariadb-admin --no-defaults --socket="$socket" ping &>/dev/null && return
    kill -0 "$server" 2>/dev/null || fail "the temporary server ended before it answered: see its messages above"
    sleep 0.2
  done
  fail "the temporary server did not answer within 60 seconds"
}

stop_temporary_server() {
  kill "$server"
  wait "$server" || fail "the temporary server did not end cleanly"
}

# Feeds SQL from standard input to the temporary server; further options and a database name as arguments. This name is
# the official image's, and scripts of initdb.d that are sourced may call it.
docker_process_sql() {
  mariadb --defaults-extra-file=<(printf '[client]\nuser=root\npassword="%s"\n' "${root_password//[\"\\]/\\&}") \
    --protocol=socket --socket="$socket" --host=localhost --comments "$@"
}

# A new data folder.

require_root_choice() {
  local choices=0 name
  for name in ROOT_PASSWORD ROOT_PASSWORD_HASH ALLOW_EMPTY_ROOT_PASSWORD RANDOM_ROOT_PASSWORD; do
    local variable=MARIADB_$name
    [[ -z ${!variable} ]] || choices=$((choices + 1))
  done
  ((choices > 0)) || fail "database is uninitialized and password option is not specified: set one of" \
    "MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD, MARIADB_RANDOM_ROOT_PASSWORD"
  [[ -z $MARIADB_USER || -n $MARIADB_PASSWORD$MARIADB_PASSWORD_HASH ]] ||
    fail "MARIADB_USER is set: set MARIADB_PASSWORD or MARIADB_PASSWORD_HASH, too"
}

install_system_tables() {
  note "Initializing database files"
  mariadb-install-db --datadir="$datadir" --rpm --auth-root-authentication-method=normal --skip-test-db \
    --default-time-zone=SYSTEM --skip-log-bin --expire-logs-days=0 --wsrep-on=OFF \
    --loose-innodb-buffer-pool-load-at-startup=0 --loose-innodb-buffer-pool-dump-at-shutdown=0 "$@"
  note "Database files initialized"
}

load_time_zones() {
  [[ -z $MARIADB_INITDB_SKIP_TZINFO ]] || return 0
  mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2>/dev/null | docker_process_sql --database=mysql
}

create_accounts() {
  docker_process_sql < <(
    echo "SET SESSION sql_mode = '', SESSION sql_log_bin = 0;"
    local_accounts_sql
    echo "SET SESSION sql_log_bin = 1;"
    shared_accounts_sql
    replica_sql
  )
}

# Gives root@localhost its password, which docker_process_sql then uses.
secure_root() {
  docker_process_sql < <(
    echo "SET SESSION sql_mode = '', SESSION sql_log_bin = 0;"
    echo "ALTER USER root@localhost $(identified "$MARIADB_ROOT_PASSWORD" "$MARIADB_ROOT_PASSWORD_HASH");"
  )
  root_password=$MARIADB_ROOT_PASSWORD
}

run_init_files() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        if [[ -x $file ]]; then
          note "running $file"
          "$file"
        else
          note "sourcing $file"
          # shellcheck source=/dev/null
          . "$file"
        fi
        ;;
      *.sql) note "feeding $file" && docker_process_sql ${MARIADB_DATABASE:+"$MARIADB_DATABASE"} <"$file" ;;
      *.sql.gz) note "feeding $file" && gzip -dc "$file" | docker_process_sql ${MARIADB_DATABASE:+"$MARIADB_DATABASE"} ;;
      *.sql.xz) note "feeding $file" && xz -dc "$file" | docker_process_sql ${MARIADB_DATABASE:+"$MARIADB_DATABASE"} ;;
      *.sql.zst) note "feeding $file" && zstd -dc "$file" | docker_process_sql ${MARIADB_DATABASE:+"$MARIADB_DATABASE"} ;;
      *) warn "ignoring $file: neither .sh nor .sql" ;;
    esac
  done
}

initialize() {
  require_root_choice
  if [[ -n $MARIADB_RANDOM_ROOT_PASSWORD ]]; then
    MARIADB_ROOT_PASSWORD=$(random_password)
    note "GENERATED ROOT PASSWORD: $MARIADB_ROOT_PASSWORD"
  fi
  : "${MARIADB_ROOT_HOST:=%}"
  install_system_tables "${@:2}"
  note "Starting temporary server"
  start_temporary_server "$@"
  note "Temporary server started"
  root_password=
  load_time_zones
  create_accounts
  # Of a hash the password is not known, and no more statements could be fed afterwards.
  [[ -n $MARIADB_ROOT_PASSWORD_HASH ]] || secure_root
  run_init_files
  [[ -z $MARIADB_ROOT_PASSWORD_HASH ]] || secure_root
  stop_temporary_server
  note "MariaDB init process done. Ready for start up."
}

# A data folder of an older server.

upgrade_needed() {
  local recorded=$datadir/mariadb_upgrade_info
  # A folder made to be filled by a state transfer has no tables yet.
  [[ -s $datadir/ibdata1 ]] || return 1
  [[ -e $recorded ]] || recorded=$datadir/mysql_upgrade_info
  [[ -e $recorded ]] || return 0
  local version
  version=$("$1" --version | sed -E 's/.*Ver ([0-9]+\.[0-9]+).*/\1/')
  [[ $(tr -d '\0' <"$recorded") != "$version".* ]]
}

upgrade() {
  note "Starting temporary server for the upgrade of the system tables"
  start_temporary_server "$@" --skip-grant-tables
  root_password=
  if [[ -z $MARIADB_DISABLE_UPGRADE_BACKUP ]]; then
    local backup=$datadir/system_mysql_backup_$(date +%Y%m%d%H%M%S).sql.zst
    note "Backing up the system database to $backup"
    (
      umask 077
      mariadb-dump --no-defaults --socket="$socket" --skip-lock-tables --databases mysql | zstd --quiet >"$backup"
    )
  fi
  mariadb-upgrade --no-defaults --socket="$socket" --upgrade-system-tables
  if [[ ! -e $datadir/.my-healthcheck.cnf ]]; then
    # The upgrade has just put the grants in force again, and nobody's password is known here.
    stop_temporary_server
    start_temporary_server "$@" --skip-grant-tables
    docker_process_sql < <(
      echo "SET SESSION sql_mode = '', SESSION sql_log_bin = 0;"
      echo "FLUSH PRIVILEGES;"
      healthcheck_accounts_sql
    )
  fi
  stop_temporary_server
  note "Upgrade of the system tables done"
}

asks_for_help() {
  local argument
  for argument; do
    case $argument in
      -'?' | --help | --print-defaults | -V | --version) return 0 ;;
    esac
  done
  return 1
}

[[ ${1-} != -* ]] || set -- mariadbd "$@"
if [[ ${1-} != mariadbd && ${1-} != mysqld ]] || asks_for_help "$@"; then
  exec "$@"
fi

read_server_values "$@"
read_settings # while still root: a file with a secret may be closed to everyone else

if [[ $EUID -eq 0 ]]; then
  mkdir -p "$datadir" "${socket%/*}"
  find "$datadir" "${socket%/*}" \! -user mysql -exec chown mysql: {} +
  note "Switching to dedicated user 'mysql'"
  exec gosu mysql "${BASH_SOURCE[0]}" "$@"
fi

note "Entrypoint script for MariaDB Server ${MARIADB_VERSION-} (image built by the KeyBuzz lab) started."
if [[ ! -d $datadir/mysql ]]; then
  initialize "$@"
elif upgrade_needed "$1"; then
  if [[ -n $MARIADB_AUTO_UPGRADE ]]; then
    upgrade "$@"
  else
    note "MariaDB upgrade is required, but skipped: MARIADB_AUTO_UPGRADE is not set"
  fi
fi
exec "$@"
