# shellcheck shell=bash
# What the backup scripts of one node share. Written by kb (roles/backup).

readonly BASE=/opt/keybuzz/backup
# RUNTIME, NODE, OWN, MEMBERS, IMAGE, RECIPIENTS, ROOT, SCRATCH, KEEP_DAYS, KEEP_LEAST, FINGERPRINT
# shellcheck source=/dev/null
. "$BASE/config"

say() { echo "backup: $*" >&2; }

die() {
  say "$*"
  exit 1
}

# The programs of the server's own version: a backup is prepared by the version that made it.
in_server() {
  if [[ $RUNTIME == docker ]]; then docker exec -i mariadb "$@"; else "$@"; fi
}

# As root of the host, who is let in by the socket: no password is kept here.
client() { in_server mariadb --user=root --batch --skip-column-names "$@"; }

# status NAME: one value of SHOW GLOBAL STATUS.
status() { client -e "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = '$1'"; }

store() { timeout "${STORE_TIMEOUT:-21600}" rclone --config "$BASE/rclone.conf" --retries 3 --low-level-retries 5 "$@"; }

seal() {
  local recipients=() one
  for one in $RECIPIENTS; do recipients+=(--recipient "$one"); done
  age "${recipients[@]}"
}

# The node that takes the backups now: of the members in the cluster the last declared, so hardly ever the writer,
# which is the first. All nodes see the same list, and so agree without a word.
elected() {
  local live member chosen=
  live=$(status wsrep_incoming_addresses)
  for member in $MEMBERS; do
    if [[ ,$live, == *",$member:"* ]]; then chosen=$member; fi
  done
  echo "$chosen"
}

# Undoes the desync of a backup that is over, or was killed.
settle() {
  [[ -e $BASE/desynced ]] || return 0
  client -e 'SET GLOBAL wsrep_desync = OFF' && rm -f "$BASE/desynced"
}

require_healthy() {
  local state
  state=$(status wsrep_cluster_status)/$(status wsrep_local_state_comment)
  [[ $state == Primary/Synced ]] || die "this node is ${state:-not there}; a backup needs Primary/Synced"
}

# The GTID position of the snapshot that a transaction sees.
readonly SNAPSHOT_POSITION="
SET @file = (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'BINLOG_SNAPSHOT_FILE');
SET @position = (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'BINLOG_SNAPSHOT_POSITION');
SELECT BINLOG_GTID_POS(@file, @position);"

# fingerprint FIRST CLIENT...: what the statements FIRST say, then rows and a checksum of each table of users, all in one
# consistent snapshot. CRC32 over the bytes of each column; NULL and the empty string differ by what ISNULL says.
fingerprint() {
  local first=$1 queries
  shift
  queries=$("$@" <<'SQL'
SET SESSION group_concat_max_len = 16777216;
SELECT CONCAT('SELECT ', QUOTE(CONCAT(t.TABLE_SCHEMA, '.', t.TABLE_NAME)), ', COUNT(*), COALESCE(BIT_XOR(CAST(CRC32(CONCAT_WS(0x1F, ',
  GROUP_CONCAT(CONCAT('CAST(', id, ' AS BINARY), ISNULL(', id, ')') ORDER BY ORDINAL_POSITION), ')) AS UNSIGNED)), 0) FROM ',
  '`', REPLACE(t.TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(t.TABLE_NAME, '`', '``'), '`;')
FROM information_schema.TABLES t
JOIN (SELECT TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION, CONCAT('`', REPLACE(COLUMN_NAME, '`', '``'), '`') AS id
      FROM information_schema.COLUMNS) c ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.ENGINE = 'InnoDB'
  AND t.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')
GROUP BY t.TABLE_SCHEMA, t.TABLE_NAME ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME;
SQL
)
  "$@" <<SQL
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;
START TRANSACTION WITH CONSISTENT SNAPSHOT;
$first
$queries
COMMIT;
SQL
}
