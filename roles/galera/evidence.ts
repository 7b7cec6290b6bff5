/** What Galera saved in `grastate.dat`: the node's last known place in the history of its cluster. */
export interface SavedState {
  readonly uuid: string;
  /** Last write set; -1 where the node did not end cleanly, and the place has to be recovered from InnoDB. */
  readonly seqno: number;
  /** Galera's own word for "was the last to leave, cleanly". */
  readonly safe: boolean;
}

/** A place in the history of a cluster: how much of it a member has. */
export interface Position {
  readonly uuid: string;
  readonly seqno: number;
}

/** The last primary view, from `gvwstate.dat`: there while a node runs, and left behind by a crash. */
export interface SavedView {
  /** This node's name in the view. */
  readonly self: string;
  /** `TYPE UUID SEQUENCE` of the view. */
  readonly id: string;
  readonly members: readonly string[];
}

/** What a server says of itself over SQL. */
export interface ServerWord {
  readonly wsrepOn: boolean;
  /** wsrep_cluster_name. */
  readonly name: string;
  /** wsrep_cluster_status: `Primary`, `non-Primary`, `Disconnected`. */
  readonly status: string;
  readonly ready: boolean;
  readonly connected: boolean;
  /** wsrep_local_state_comment: `Synced`, `Donor/Desynced`, `Joined`, `Initialized`. */
  readonly state: string;
  readonly size: number;
  readonly uuid: string;
  /** wsrep_last_committed. */
  readonly committed: number;
}

/** A member that answered, as it looks from outside. */
export interface SeenMember {
  readonly kind: "seen";
  readonly host: string;
  /** Whether a mariadbd runs on the host, in a container or not. */
  readonly running: boolean;
  /** Undefined where no server answers on the socket. */
  readonly server: ServerWord | undefined;
  /** Whether the data folder holds InnoDB's tables. */
  readonly tables: boolean;
  /** Undefined where `grastate.dat` is missing, empty, or names no cluster. */
  readonly saved: SavedState | undefined;
  readonly view: SavedView | undefined;
  /** Whether it holds the remains of a state transfer that did not end. */
  readonly halfTransfer: boolean;
  /** Whether a first start of ours began to make the tables here; they were never part of a cluster so far. */
  readonly initialising: boolean;
  /** The cluster that a run of ours has seen this host in: kept beside the data folder, so that it outlives it. */
  readonly recorded: string | undefined;
  /** Whether Galera itself gave its place up (`grastate.dat` names no cluster): it found the data to differ from the others'. */
  readonly disowned: boolean;
  /** Whether it stopped in the middle of receiving data; {@link halfTransfer} may also come from an emptied `grastate.dat`. */
  readonly receiving: boolean;
  /** Whether a run of ours began to move its data aside, as an operator allowed: what is left of it does not count. */
  readonly movingAside: boolean;
  /** The place that InnoDB knows, as a run of ours measured it since the server stopped; `none` where it knows none. */
  readonly position: Position | "none" | undefined;
}

/** A member that nobody could ask. It may be running. */
export interface UnseenMember {
  readonly kind: "unseen";
  readonly host: string;
  readonly reason: string;
}

export type Evidence = SeenMember | UnseenMember;

/**
 * What a member is, for the decision who starts how.
 *
 * - `unknown`: could not be asked, so it has to be taken for running;
 * - `live`: part of a primary component; `partitioned`: cut off from it; `detached`: up, and lost its group;
 * - `waiting`: mariadbd runs and serves nobody: it looks for its peers, or receives their data;
 * - `initialising`: a first start makes its tables;
 * - `clean`, `crashed`: stopped, with data; `half-transfer`: stopped in the middle of receiving it;
 * - `empty`: no data;
 * - `foreign`: data or a server that is no member of any cluster.
 */
export type Condition =
  | "unknown"
  | "live"
  | "partitioned"
  | "detached"
  | "waiting"
  | "initialising"
  | "clean"
  | "crashed"
  | "half-transfer"
  | "empty"
  | "foreign";

/** What the evidence about one member amounts to. */
export function conditionOf(member: Evidence): Condition {
  if (member.kind === "unseen") return "unknown";
  if (member.server !== undefined) return conditionOfServer(member.server);
  if (member.running) return member.initialising && member.saved === undefined ? "initialising" : "waiting";
  return conditionOfData(member);
}

function conditionOfServer(server: ServerWord): Condition {
  if (!server.wsrepOn) return "foreign";
  if (server.status === "Primary" && server.ready) return "live";
  // A joiner answers on its socket for a moment before it is ready; it is part of the component already.
  if (server.status === "Primary") return "waiting";
  return server.connected ? "partitioned" : "detached";
}

function conditionOfData(member: SeenMember): Condition {
  if (member.movingAside) return "empty";
  if (member.saved !== undefined) {
    if (!member.tables) return "foreign";
    return member.saved.seqno >= 0 ? "clean" : "crashed";
  }
  if (member.halfTransfer) return "half-transfer";
  return member.tables && !member.initialising ? "foreign" : "empty";
}
