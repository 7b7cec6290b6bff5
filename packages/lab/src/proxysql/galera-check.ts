import { BackendError } from "./backend.ts";
import type { GaleraAnswer } from "./galera-placement.ts";
import { CheckTimeout, MonitorClient, type MonitorTarget } from "./monitor-client.ts";

/** What one check of a node gave. */
export type GaleraCheck =
  | { readonly kind: "answer"; readonly answer: GaleraAnswer; readonly raw: ReadonlyMap<string, string | null> }
  /** No answer in time, from an open connection or a new one. */
  | { readonly kind: "timeout"; readonly error: string }
  /** Refused, cut off, or not allowed in. */
  | { readonly kind: "failure"; readonly error: string }
  /** The node is there and says that it serves nobody (1047). */
  | { readonly kind: "not serving"; readonly error: string };

const UNKNOWN_COMMAND = 1047;
const status = (name: string): string =>
  `(SELECT VARIABLE_VALUE FROM INFORMATION_SCHEMA.GLOBAL_STATUS WHERE VARIABLE_NAME='${name}') AS ${name.toLowerCase()}`;

const QUERY = `SELECT ${status("WSREP_LOCAL_STATE")}, ${status("WSREP_LOCAL_RECV_QUEUE")}, ${status("WSREP_CLUSTER_STATUS")}, \
@@read_only AS read_only, @@wsrep_desync AS wsrep_desync, @@wsrep_reject_queries AS wsrep_reject_queries, \
@@wsrep_sst_donor_rejects_queries AS wsrep_sst_donor_rejects_queries`;

function isYes(value: string | null | undefined): boolean {
  return value === "1" || value?.toUpperCase() === "ON";
}

function answerOf(row: ReadonlyMap<string, string | null>): GaleraAnswer {
  const rejects = row.get("wsrep_reject_queries") ?? "NONE";
  return {
    isPrimary: row.get("wsrep_cluster_status")?.toLowerCase() === "primary",
    isReadOnly: isYes(row.get("read_only")),
    receiveQueue: Number(row.get("wsrep_local_recv_queue") ?? 0),
    localState: Number(row.get("wsrep_local_state") ?? 0),
    isDesynced: isYes(row.get("wsrep_desync")),
    rejectsQueries: rejects.toUpperCase() !== "NONE",
    donorRejectsQueries: isYes(row.get("wsrep_sst_donor_rejects_queries")),
  };
}

/** Asks a node for its Galera state, over the connection given or a new one. */
export async function checkGalera(
  present: MonitorClient | null,
  target: MonitorTarget,
): Promise<{ check: GaleraCheck; client: MonitorClient | null }> {
  let client = present;
  if (client === null || client.isClosed) {
    try {
      client = await MonitorClient.connect(target);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const kind = text.endsWith("(110)") ? "timeout" : "failure";
      return { client: null, check: { kind, error: `timeout or error in creating new connection: ${text}` } };
    }
  }
  try {
    const raw = await client.row(QUERY, target.timeoutMs);
    return { client, check: { kind: "answer", answer: answerOf(raw), raw } };
  } catch (error) {
    client.destroy();
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof CheckTimeout) return { client: null, check: { kind: "timeout", error: text } };
    const isNotServing = error instanceof BackendError && error.sql.code === UNKNOWN_COMMAND;
    return { client: null, check: { kind: isNotServing ? "not serving" : "failure", error: text } };
  }
}
