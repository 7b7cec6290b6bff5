import type { GaleraCheck } from "./galera-check.ts";
import type { ServerRow } from "./hostgroups.ts";
import type { Runtime } from "./runtime.ts";

type Address = Pick<ServerRow, "hostname" | "port">;

function insert(runtime: Runtime, table: string, values: readonly (string | number | null)[]): void {
  const holes = values.map(() => "?").join(",");
  runtime.databases.internal.prepare(`INSERT OR REPLACE INTO monitor.${table} VALUES (${holes})`).run(...values);
}

function elapsedUs(startedAtMs: number): number {
  return Math.max(1, Date.now() - startedAtMs) * 1000;
}

function yesNo(isYes: boolean): string {
  return isYes ? "YES" : "NO";
}

/** Writes a line of monitor.mysql_server_galera_log. A failed check has the columns' defaults and its error. */
export function logGaleraCheck(runtime: Runtime, at: Address, startedAtMs: number, check: GaleraCheck): void {
  const head = [at.hostname, at.port, startedAtMs * 1000];
  if (check.kind !== "answer") {
    const rest = [0, "NO", "YES", 0, 0, "NO", "NO", "NO", "NO", check.error];
    insert(runtime, "mysql_server_galera_log", [...head, ...rest]);
    return;
  }
  const { answer } = check;
  insert(runtime, "mysql_server_galera_log", [
    ...head,
    elapsedUs(startedAtMs),
    yesNo(answer.isPrimary),
    yesNo(answer.isReadOnly),
    answer.receiveQueue,
    answer.localState,
    yesNo(answer.isDesynced),
    yesNo(answer.rejectsQueries),
    yesNo(answer.donorRejectsQueries),
    "NO",
    null,
  ]);
}

/** Writes a line of monitor.mysql_server_ping_log or mysql_server_connect_log. */
export function logCheck(
  runtime: Runtime,
  kind: "ping" | "connect",
  at: Address,
  startedAtMs: number,
  error: string | null,
): void {
  const elapsed = error === null ? elapsedUs(startedAtMs) : 0;
  insert(runtime, `mysql_server_${kind}_log`, [at.hostname, at.port, startedAtMs * 1000, elapsed, error]);
}

const LOGS = ["mysql_server_galera_log", "mysql_server_ping_log", "mysql_server_connect_log"];

/** Removes lines that are older than mysql-monitor_history. */
export function purgeLogs(runtime: Runtime): void {
  const oldestUs = (Date.now() - runtime.variables.number("mysql-monitor_history")) * 1000;
  for (const table of LOGS) {
    runtime.databases.internal.prepare(`DELETE FROM monitor.${table} WHERE time_start_us < ?`).run(oldestUs);
  }
}
