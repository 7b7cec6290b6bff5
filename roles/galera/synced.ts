import { waitFor } from "@keybuzz/modules";
import { GIVE_UP, type Sh, sh, type Task } from "@keybuzz/runner";
import { DATA, MARIADB_CONTAINER, STATE } from "../paths.ts";
import type { Runtime } from "./state.ts";

/** Asks the member's own server for one value; the operating system's user is let in without a password. */
export function askServer(runtime: Runtime, query: string): Sh {
  const client = sh`mariadb --no-defaults --batch --skip-column-names --connect-timeout=3 -e ${query}`;
  if (runtime === "native") return sh`timeout 10 ${client} --user=root`;
  return sh`timeout 10 docker exec -u mysql ${MARIADB_CONTAINER} ${client} --user=mysql`;
}

/** Has the member's own server carry out a statement, as root of the host. */
export function asRoot(runtime: Runtime, statement: string): Sh {
  const client = sh`mariadb --no-defaults --user=root --batch --skip-column-names --connect-timeout=3 -e ${statement}`;
  return runtime === "native" ? sh`timeout 30 ${client}` : sh`timeout 30 docker exec ${MARIADB_CONTAINER} ${client}`;
}

type StatusRow = readonly [name: string, value: string];

/** How many of these rows a member's status has; information_schema.GLOBAL_STATUS answers without a majority, too. */
function count(rows: readonly StatusRow[], more = ""): string {
  const pairs = rows.map(([name, value]) => `('${name}', '${value}')`).join(", ");
  return `SELECT COUNT(*) FROM information_schema.GLOBAL_STATUS WHERE (VARIABLE_NAME, VARIABLE_VALUE) IN (${pairs})${more}`;
}

const WELL: readonly StatusRow[] = [
  ["wsrep_ready", "ON"],
  ["wsrep_cluster_status", "Primary"],
  ["wsrep_local_state_comment", "Synced"],
];

/** Holds where the member has all data and is part of a primary component of at least `size` members. */
export function isSynced(runtime: Runtime, size: number): Sh {
  const query = count(WELL, ` OR (VARIABLE_NAME = 'wsrep_cluster_size' AND VARIABLE_VALUE + 0 >= ${size})`);
  return sh`[ "$(${askServer(runtime, query)} 2>/dev/null)" = 4 ]`;
}

/** Holds where the member serves, as part of a primary component. */
export function isPrimary(runtime: Runtime): Sh {
  return sh`[ "$(${askServer(runtime, count([["wsrep_cluster_status", "Primary"]]))} 2>/dev/null)" = 1 ]`;
}

/** Holds where the server has a connection to its group, with a majority or without. */
export function isConnected(runtime: Runtime): Sh {
  return sh`[ "$(${askServer(runtime, count([["wsrep_connected", "ON"]]))} 2>/dev/null)" = 1 ]`;
}

/** Says that a run of ours took the member out of rotation; each start of the server removes it. */
export const DRAINED = `${STATE}/drained`;

/** Holds where the member is out of rotation by our hand, and otherwise as well as {@link isSynced} asks. */
function isDrained(runtime: Runtime, size: number): Sh {
  const desynced = count(
    [...WELL.slice(0, 2), ["wsrep_local_state_comment", "Donor/Desynced"]],
    ` OR (VARIABLE_NAME = 'wsrep_cluster_size' AND VARIABLE_VALUE + 0 >= ${size})`,
  );
  return sh`[ -e ${DRAINED} ] && [ "$(${askServer(runtime, desynced)} 2>/dev/null)" = 4 ]`;
}

/** Clients of the member over the network; the proxies' own checks are none. */
const CLIENTS = `SELECT COUNT(*) FROM information_schema.PROCESSLIST
WHERE HOST LIKE '%:%' AND HOST NOT LIKE 'localhost:%' AND USER NOT IN ('system user', 'monitor', 'unauthenticated user')`;

/** Proxies look every half second; a client that they still sent here is seen within this time. */
const QUIET_SECONDS = 2;
/** Longest time for which clients of the member itself, which no proxy moves, hold up its stop. */
const DRAIN_SECONDS = 30;

/**
 * Takes the member out of rotation: a desynchronised one is given up by every ProxySQL at its next check, and another takes
 * its writes at once. OFFLINE_SOFT would not last (the Galera monitor sets a node that it finds well ONLINE again), and each
 * LOAD of servers makes all nodes writers until the next check.
 *
 * Waits until no client is left, or the time is over; then clients lose their connection with the stop.
 */
export function drain(runtime: Runtime): Sh {
  return sh`: >${DRAINED} && sync ${STATE} || exit 1
${asRoot(runtime, "SET GLOBAL wsrep_desync = ON")} || exit 1
kb_now=$(date +%s) kb_end=$(($(date +%s) + ${DRAIN_SECONDS})) kb_quiet=$(date +%s)
while [ "$kb_now" -lt "$kb_end" ] && [ "$((kb_now - kb_quiet))" -lt ${QUIET_SECONDS} ]; do
  [ "$(${asRoot(runtime, CLIENTS)} 2>/dev/null)" = 0 ] || kb_quiet=$kb_now
  kb_now=$(date +%s)
done`;
}

/**
 * Lets the member go: it serves nobody; or all `size` members are there, so that those that stay have a majority and the
 * data, and then it is drained first. Says why where not.
 */
export function letGo(runtime: Runtime, size: number): Sh {
  const serving = count([["wsrep_cluster_status", "Primary"]]);
  return sh`kb_said=$(${askServer(runtime, serving)} 2>&1)
case $kb_said in
  0 | *"ERROR 2002 "* | *"is not running"* | *"is restarting"* | *"No such container"*) exit 0 ;;
  1) if ${isDrained(runtime, size)}; then exit 0; fi
    ${isSynced(runtime, size)} || {
      echo ${`not restarting: the member serves, and not all ${size} members of the cluster are there and Synced`} >&2
      exit 1
    } ;;
  *)
    echo "not restarting: whether the member serves cannot be told: $kb_said" >&2
    exit 1
    ;;
esac
${size > 1 ? drain(runtime) : sh`:`}`;
}

/**
 * The same for waiting, many times over: it asks the server only once that says so in a file, and gives up where the
 * server was started five times in 90 s (`start-member` notes the times).
 */
export function becomesSynced(runtime: Runtime, size: number): Sh {
  const isUp = runtime === "docker" ? sh`:` : sh`[ "$(systemctl is-active mariadb)" = active ]`;
  return sh`if grep -qi '"synced"' ${DATA}/wsrep_status.json 2>/dev/null && ${isUp} && ${isSynced(runtime, size)}; then exit 0; fi
set -- $(cat ${STATE}/starts 2>/dev/null)
if [ $# -ge 5 ] && [ "$(($(date +%s) - $1))" -lt 90 ]; then
  echo "the server was started 5 times within 90 s"
  exit ${GIVE_UP}
fi
exit 1`;
}

/** What a person would look at when a member does not come up. */
export function lastWords(runtime: Runtime): Sh {
  const log =
    runtime === "docker"
      ? sh`docker logs --tail 25 ${MARIADB_CONTAINER} 2>&1`
      : sh`journalctl --no-pager --lines 25 --unit mariadb`;
  return sh`cat ${DATA}/wsrep_status.json 2>/dev/null; ${log}`;
}

/** Waits until the member is Synced in a component of at least `size` members. */
export function synced(runtime: Runtime, size: number, timeoutMs: number): Task {
  return waitFor({
    test: becomesSynced(runtime, size),
    what: `the member to be Synced, one of ${size}`,
    timeoutMs,
    onTimeout: lastWords(runtime),
  });
}
