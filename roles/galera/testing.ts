import type { Evidence, SeenMember } from "./evidence.ts";

/** Two clusters. */
export const A = "1fa4691c-e60e-11f1-9d74-730fa2316a94";
export const B = "9fd2e046-e611-11f1-b4ed-72528749d27a";

const NAMES = ["maria-01", "maria-02", "maria-03"] as const;

const nothing: Omit<SeenMember, "host"> = {
  kind: "seen",
  running: false,
  server: undefined,
  tables: false,
  saved: undefined,
  view: undefined,
  halfTransfer: false,
  initialising: false,
  recorded: undefined,
  disowned: false,
  receiving: false,
  movingAside: false,
  position: undefined,
};

/** What a healthy member's server says, but for the cluster's UUID. */
export const server = {
  wsrepOn: true,
  name: "keybuzz-galera",
  status: "Primary",
  ready: true,
  connected: true,
  state: "Synced",
  size: 3,
  committed: 9,
};

/** What is special about a member of a test's cluster. */
export type Part = Partial<Omit<SeenMember, "host" | "kind">>;

export const view = (self: string, members: readonly string[], id = "3 a 3") => ({ self, id, members });
export const ALL: readonly string[] = ["a", "b", "c"];
export const empty: Part = {};
export const live = (uuid = A): Part => ({
  running: true,
  tables: true,
  saved: { uuid, seqno: -1, safe: false },
  server: { ...server, uuid },
});
export const partitioned: Part = {
  ...live(),
  server: { ...server, uuid: A, status: "non-Primary", ready: false, state: "Initialized", size: 1 },
};
export const detached: Part = {
  ...live(),
  server: { ...server, uuid: A, status: "Disconnected", ready: false, connected: false, state: "Initialized", size: 0 },
};
export const clean = (seqno: number, safe = false, uuid = A): Part => ({ tables: true, saved: { uuid, seqno, safe } });
export const crashed = (self?: string, members = ALL, uuid = A): Part => ({
  tables: true,
  saved: { uuid, seqno: -1, safe: false },
  view: self === undefined ? undefined : view(self, members),
});
export const waiting = (self?: string, members = ALL): Part => ({ ...crashed(self, members), running: true });
export const halfTransfer: Part = { halfTransfer: true, receiving: true };
export const initialising: Part = { running: true, tables: true, initialising: true };
export const halfInitialised: Part = { tables: true, initialising: true };
export const foreign: Part = { tables: true };
export const standalone: Part = {
  running: true,
  tables: true,
  server: { ...server, wsrepOn: false, status: "", uuid: "" },
};
/** A member that nobody could ask. */
export const unseen = "unseen";

/** maria-01, maria-02, ... as described. */
export function members(...parts: readonly (Part | typeof unseen)[]): readonly Evidence[] {
  return parts.map((part, index): Evidence => {
    const host = NAMES[index] ?? `maria-0${index + 1}`;
    return part === unseen ? { kind: "unseen", host, reason: "connection refused" } : { ...nothing, ...part, host };
  });
}
