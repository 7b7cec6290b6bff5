import { ask, type Output, type Probe, type Secret, type Sh, sh } from "@keybuzz/runner";
import { DATA, MARIADB_CONTAINER, STATE } from "../paths.ts";
import type { Position, SavedState, SavedView, SeenMember, ServerWord } from "./evidence.ts";

const NO_CLUSTER = "00000000-0000-0000-0000-000000000000";
const QUERY =
  "SELECT 'wsrep_on', @@global.wsrep_on UNION ALL SELECT 'wsrep_cluster_name', @@global.wsrep_cluster_name UNION ALL SELECT LOWER(VARIABLE_NAME), VARIABLE_VALUE " +
  "FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_cluster_status', 'wsrep_ready', " +
  "'wsrep_connected', 'wsrep_local_state_comment', 'wsrep_cluster_size', 'wsrep_cluster_state_uuid', " +
  "'wsrep_last_committed')";
const OPTIONS = sh`--batch --skip-column-names --connect-timeout=3 -e ${QUERY}`;

/** Where a member's server runs. */
export type Runtime = "docker" | "native";

/**
 * Everything that can be seen of a member without changing it: what its processes, its data folder and its server say.
 * No credentials are needed where the server lets the operating system's users in; `rootPassword` is tried after that.
 *
 * @see https://mariadb.com/kb/en/galera-cluster-system-state-files/ for grastate.dat and gvwstate.dat
 */
export function galeraState(host: string, runtime: Runtime, rootPassword: Secret): Probe<SeenMember> {
  return ask({ script: stateScript(runtime), stdin: rootPassword }, (output) => parseState(host, output));
}

function stateScript(runtime: Runtime): Sh {
  return sh`IFS= read -r kb_password || [ -n "$kb_password" ] || exit 1
data=${DATA} state=${STATE}
if [ -e "$data" ]; then ls -A "$data" >/dev/null || exit 1; fi
part() { printf '\n== %s\n' "$1"; }
part running
for f in /proc/[0-9]*/comm; do
  { read -r name <"$f"; } 2>/dev/null || continue
  case $name in mariadbd|mysqld|docker-entrypoi) echo "$name"; break ;; esac
done
part tables; [ ! -e "$data/ibdata1" ] || echo yes
part half; for f in .sst sst_in_progress; do [ ! -e "$data/$f" ] || echo "$f"; done
if [ -e "$data/grastate.dat" ] && [ ! -s "$data/grastate.dat" ]; then echo grastate.dat; fi
part first; [ ! -e "$data/.keybuzz-first-start" ] || echo yes
part recorded; [ ! -e "$state/cluster" ] || cat "$state/cluster" || exit 1
part aside; [ ! -e "$state/moving-aside" ] || echo yes
part position; if [ -s "$state/position" ] && [ -z "$(find "$data" -maxdepth 1 -newer "$state/position" \
  '(' -name 'ib*' -o -name grastate.dat ')' -print -quit)" ]; then cat "$state/position" || exit 1; fi
part grastate; [ ! -e "$data/grastate.dat" ] || cat "$data/grastate.dat" || exit 1
part gvwstate; [ ! -e "$data/gvwstate.dat" ] || cat "$data/gvwstate.dat" || exit 1
part server
kb_said=
${runtime === "docker" ? askContainer() : askUnit()}
part refused
printf '%s\n' "$kb_said" | grep -E '^ERROR (1045|1698|1130) '
exit 0`;
}

/** The image's account mysql@localhost is let in by unix_socket; a server that others set up may have root alone. */
function askContainer(): Sh {
  const asRoot = sh`IFS= read -r p; exec mariadb --defaults-file=/dev/fd/4 --user=root ${OPTIONS} 4<<EOF
[client]
password="$p"
EOF`;
  return sh`if command -v docker >/dev/null && [ "$(docker container inspect -f '{{.State.Running}}' ${MARIADB_CONTAINER} 2>/dev/null)" = true ]; then
  timeout 10 docker exec -u mysql ${MARIADB_CONTAINER} mariadb --no-defaults --user=mysql ${OPTIONS} 2>/dev/null ||
    kb_said=$(printf '%s\n' "$kb_password" | timeout 10 docker exec -i ${MARIADB_CONTAINER} sh -c ${asRoot.text} 2>&1 >&3)
fi 3>&1`;
}

function askUnit(): Sh {
  return sh`if command -v mariadb >/dev/null; then
  kb_said=$(timeout 10 mariadb --no-defaults --user=root ${OPTIONS} 2>&1 >&3)
fi 3>&1`;
}

/** @throws Error with a sentence where the answer makes no sense */
export function parseState(host: string, { stdout, stderr, exitCode }: Output): SeenMember {
  if (exitCode !== 0) throw new Error(`the state of the Galera member could not be read: ${stderr.trim()}`);
  const parts = splitParts(stdout);
  const part = (name: string): string => {
    const text = parts.get(name);
    if (text === undefined) throw new Error(`the answer about the Galera member lacks its part "${name}"`);
    return text.trim();
  };
  if (part("refused") !== "") {
    throw new Error(
      `a server runs there and refuses the login of root with the password of mariadb.env: ${part("refused")}`,
    );
  }
  return {
    kind: "seen",
    host,
    running: part("running") !== "",
    server: parseServer(part("server")),
    tables: part("tables") !== "",
    saved: parseSavedState(part("grastate")),
    view: parseSavedView(part("gvwstate")),
    halfTransfer: part("half") !== "",
    initialising: part("first") !== "",
    recorded: part("recorded") === "" || part("aside") !== "" ? undefined : part("recorded"),
    disowned: part("grastate").includes(NO_CLUSTER),
    receiving: part("half").includes("sst"),
    movingAside: part("aside") !== "",
    position: parsePosition(part("position")),
  };
}

/** `UUID:SEQNO`, with a GTID behind it where the server has those; `none` where InnoDB knows no place. */
export function parsePosition(text: string): Position | "none" | undefined {
  if (text === "") return undefined;
  const [, uuid, seqno] = /^([0-9a-f-]{36}):(-?\d+)(?:,|$)/m.exec(text) ?? [];
  if (uuid === undefined || uuid === NO_CLUSTER || Number(seqno) < 0) return "none";
  return { uuid, seqno: Number(seqno) };
}

function splitParts(text: string): ReadonlyMap<string, string> {
  const [, ...parts] = text.split(/\n== ([a-z]+)\n/);
  return new Map(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? ""] as const] : [])));
}

/** Reads `grastate.dat`; undefined where it is empty or names no cluster. */
export function parseSavedState(text: string): SavedState | undefined {
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(text)?.[1] ?? "";
  const uuid = field("uuid");
  if (uuid === "" || uuid === NO_CLUSTER) return undefined;
  const seqno = Number(field("seqno"));
  if (field("seqno") === "" || !Number.isInteger(seqno)) throw new Error(`grastate.dat has no seqno: ${text}`);
  return { uuid, seqno, safe: field("safe_to_bootstrap") === "1" };
}

/** Reads `gvwstate.dat`; undefined where it is empty or cut short. */
export function parseSavedView(text: string): SavedView | undefined {
  const self = /^my_uuid: (\S+)/m.exec(text)?.[1];
  const id = /^view_id: (.+)$/m.exec(text)?.[1];
  if (self === undefined || id === undefined || !/^#vwend/m.test(text)) return undefined;
  const members = [...text.matchAll(/^member: (\S+)/gm)].map(([, name = ""]) => name);
  return { self, id: id.trim(), members };
}

function parseServer(text: string): ServerWord | undefined {
  const rows = new Map(
    text.split("\n").map((line): [string, string] => {
      const [name = "", value = ""] = line.split("\t");
      return [name, value];
    }),
  );
  const on = rows.get("wsrep_on");
  if (on === undefined) return undefined;
  const value = (name: string): string => rows.get(name) ?? "";
  return {
    name: value("wsrep_cluster_name"),
    wsrepOn: on === "1" || on === "ON",
    status: value("wsrep_cluster_status"),
    ready: value("wsrep_ready") === "ON",
    connected: value("wsrep_connected") === "ON",
    state: value("wsrep_local_state_comment"),
    size: Number(value("wsrep_cluster_size") || "0"),
    uuid: value("wsrep_cluster_state_uuid"),
    committed: Number(value("wsrep_last_committed") || "-1"),
  };
}
