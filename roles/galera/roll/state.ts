import { ask, type Output, type Probe } from "@keybuzz/runner";
import type { Runtime } from "../state.ts";
import { askServer } from "../synced.ts";

/** What a node says of itself while others are rolled. */
export interface NodeState {
  readonly ready: boolean;
  readonly status: string;
  readonly state: string;
  readonly size: number;
  readonly uuid: string;
  /** Number of the view: the same on all members of it. */
  readonly configuration: string;
  readonly receiveQueue: number;
  readonly flowControl: boolean;
  readonly desynced: boolean;
  /** Write sets in and out since the start, in bytes. */
  readonly trafficBytes: number;
  readonly gcacheBytes: number;
  /** The server's clock, in seconds. */
  readonly clock: number;
  readonly uptimeSeconds: number;
}

const STATUS = [
  ...["wsrep_ready", "wsrep_cluster_status", "wsrep_local_state_comment", "wsrep_cluster_size"],
  ...["wsrep_cluster_state_uuid", "wsrep_cluster_conf_id", "wsrep_local_recv_queue", "wsrep_flow_control_active"],
  ...["wsrep_received_bytes", "wsrep_replicated_bytes", "uptime"],
];

const QUERY = `SELECT LOWER(VARIABLE_NAME), VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
WHERE VARIABLE_NAME IN (${STATUS.map((name) => `'${name}'`).join(", ")})
UNION ALL SELECT 'desync', @@global.wsrep_desync + 0 UNION ALL SELECT 'clock', UNIX_TIMESTAMP(NOW(6))
UNION ALL SELECT 'options', @@global.wsrep_provider_options`;

/** Asks a node; undefined where its server does not answer. */
export function nodeState(runtime: Runtime): Probe<NodeState | undefined> {
  return ask(askServer(runtime, QUERY), parseNodeState);
}

/** Reads the answer to {@link nodeState}. */
export function parseNodeState({ stdout, exitCode }: Output): NodeState | undefined {
  if (exitCode !== 0) return undefined;
  const rows = new Map(stdout.split("\n").map((line) => line.split("\t", 2) as [string, string | undefined]));
  const text = (name: string): string => rows.get(name) ?? "";
  const number = (name: string): number => Number(text(name) || "0");
  return {
    ready: text("wsrep_ready") === "ON",
    status: text("wsrep_cluster_status"),
    state: text("wsrep_local_state_comment"),
    size: number("wsrep_cluster_size"),
    uuid: text("wsrep_cluster_state_uuid"),
    configuration: text("wsrep_cluster_conf_id"),
    receiveQueue: number("wsrep_local_recv_queue"),
    flowControl: text("wsrep_flow_control_active") === "true",
    desynced: text("desync") === "1",
    trafficBytes: number("wsrep_received_bytes") + number("wsrep_replicated_bytes"),
    gcacheBytes: sizeIn(text("options"), "gcache.size"),
    clock: number("clock"),
    uptimeSeconds: number("uptime"),
  };
}

/** A size out of `a = b; gcache.size = 128M; ...`. */
function sizeIn(options: string, name: string): number {
  const [, value = "", unit = ""] =
    new RegExp(`(?:^|; )${name.replace(".", "\\.")} = (\\d+)([KMG]?)`).exec(options) ?? [];
  return Number(value) * 1024 ** (unit === "" ? 0 : "KMG".indexOf(unit) + 1);
}
