# SQL of the accounts that a new data folder gets. Sourced by docker-entrypoint.sh, once its settings are read.
# shellcheck shell=bash disable=SC2154

# A string literal of SQL, its value within quotes; the session's sql_mode has to allow backslash escapes.
quoted() {
  local text=${1//\\/\\\\}
  printf "'%s'" "${text//\'/\'\'}"
}

# identified PASSWORD HASH: the clause that sets a password, given in clear or as a hash.
identified() {
  if [[ -n $2 ]]; then
    printf 'IDENTIFIED BY PASSWORD %s' "$(quoted "$2")"
  else
    printf 'IDENTIFIED BY %s' "$(quoted "$1")"
  fi
}

random_password() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

# Accounts that belong to this server alone; the binary log does not carry them to replicas.
local_accounts_sql() {
  local root
  root=$(identified "$MARIADB_ROOT_PASSWORD" "$MARIADB_ROOT_PASSWORD_HASH")
  echo "DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');"
  echo "DELETE FROM mysql.proxies_priv WHERE User = '' OR Host <> 'localhost';"
  echo "FLUSH PRIVILEGES;"
  if [[ -n $MARIADB_ROOT_HOST && $MARIADB_ROOT_HOST != localhost ]]; then
    echo "CREATE USER 'root'@$(quoted "$MARIADB_ROOT_HOST") $root;"
    echo "GRANT ALL ON *.* TO 'root'@$(quoted "$MARIADB_ROOT_HOST") WITH GRANT OPTION;"
    echo "GRANT PROXY ON ''@'%' TO 'root'@$(quoted "$MARIADB_ROOT_HOST") WITH GRANT OPTION;"
  fi
  if [[ -n $MARIADB_MYSQL_LOCALHOST_USER ]]; then
    echo "CREATE USER mysql@localhost IDENTIFIED VIA unix_socket;"
    echo "GRANT ${MARIADB_MYSQL_LOCALHOST_GRANTS:-USAGE} ON *.* TO mysql@localhost;"
  fi
  healthcheck_accounts_sql
}

healthcheck_accounts_sql() {
  local account password
  password=$(random_password)
  for account in "healthcheck@'127.0.0.1'" "healthcheck@'::1'" healthcheck@localhost; do
    echo "CREATE OR REPLACE USER $account IDENTIFIED BY '$password';"
    echo "GRANT ${MARIADB_HEALTHCHECK_GRANTS:-USAGE} ON *.* TO $account;"
  done
  (
    umask 077
    printf '[mariadb-client]\nport=%s\nsocket=%s\nuser=healthcheck\npassword=%s\nprotocol=tcp\n' \
      "$port" "$socket" "$password" >"$datadir/.my-healthcheck.cnf"
  )
}

shared_accounts_sql() {
  local database=${MARIADB_DATABASE//\`/\`\`}
  [[ -z $MARIADB_DATABASE ]] || echo "CREATE DATABASE IF NOT EXISTS \`$database\`;"
  if [[ -n $MARIADB_USER ]]; then
    echo "CREATE USER $(quoted "$MARIADB_USER")@'%' $(identified "$MARIADB_PASSWORD" "$MARIADB_PASSWORD_HASH");"
    # In a grant, _ of a database name stands for any character.
    [[ -z $MARIADB_DATABASE ]] || echo "GRANT ALL ON \`${database//_/\\_}\`.* TO $(quoted "$MARIADB_USER")@'%';"
  fi
  if [[ -n $MARIADB_REPLICATION_USER && -z $MARIADB_MASTER_HOST ]]; then
    echo "CREATE USER $(quoted "$MARIADB_REPLICATION_USER")@'%'" \
      "$(identified "$MARIADB_REPLICATION_PASSWORD" "$MARIADB_REPLICATION_PASSWORD_HASH");"
    echo "GRANT REPLICATION REPLICA ON *.* TO $(quoted "$MARIADB_REPLICATION_USER")@'%';"
  fi
}

replica_sql() {
  [[ -n $MARIADB_MASTER_HOST ]] || return 0
  echo "CHANGE MASTER TO MASTER_HOST = $(quoted "$MARIADB_MASTER_HOST"), MASTER_PORT = ${MARIADB_MASTER_PORT:-3306}," \
    "MASTER_USER = $(quoted "$MARIADB_REPLICATION_USER")," \
    "MASTER_PASSWORD = $(quoted "$MARIADB_REPLICATION_PASSWORD"), MASTER_CONNECT_RETRY = 10;"
}
