import { command, file } from "@keybuzz/modules";
import { type Host, RefusedError, sh, type Task } from "@keybuzz/runner";
import { DATA, MARIADB_CONTAINER, STATE } from "../paths.ts";
import { accounts, loginTo } from "./accounts.ts";
import type { Decision } from "./decide.ts";
import { dockerFiles, dockerServer } from "./docker.ts";
import { type HostFacts, optionFile } from "./facts.ts";
import { nativeFiles, nativeServer } from "./native.ts";
import type { GaleraParams, GaleraVars } from "./params.ts";
import type { Loss } from "./recover/loss.ts";
import { dataAside, promoted, stopped } from "./recover/tasks.ts";
import type { OptionPlan } from "./roll/options.ts";
import { applyOptions } from "./roll/restart.ts";
import { type Cluster, settingsFor } from "./settings.ts";
import { asRoot, DRAINED, isConnected, isSynced, synced } from "./synced.ts";

export type MemberHost = Host<GaleraVars>;

/** What one run does to members. */
export interface MemberTasks {
  /** What touches no running server. */
  files(host: MemberHost): readonly Task[];
  /** What changed in the options of a server that runs: set in it, or a restart asked for. */
  options(host: MemberHost): readonly Task[];
  /** Data that is given up out of the way; a list of its own, since the server fills the folder again. */
  clear(host: MemberHost): readonly Task[];
  /** The server, up and Synced, one of `joined` members at least. */
  server(host: MemberHost, joined: number): readonly Task[];
  /** The server as the first of its cluster. */
  bootstrap(host: MemberHost): readonly Task[];
  /** The member, which runs without a majority, primary again. */
  promote(host: MemberHost): readonly Task[];
  /** Accounts and the database, for one member. */
  accounts(host: MemberHost): readonly Task[];
}

interface Scope {
  readonly cluster: Cluster;
  readonly params: GaleraParams;
  readonly facts: ReadonlyMap<string, HostFacts>;
  readonly decision: Decision;
  /** Members that were part of a cluster, and have no data. */
  readonly lost: readonly string[];
  /** How changed options get into servers that run. */
  readonly running?: ReadonlyMap<string, OptionPlan>;
  /** Members whose data an operator gave up, and why. */
  readonly aside?: ReadonlyMap<string, Loss["why"]>;
}

/** A request to bootstrap; `start-member` follows it once, if it is fresh and does no harm. */
const FLAG = `${STATE}/bootstrap`;
/** The cluster that the host belongs to. */
const RECORD = `${STATE}/cluster`;

export function addressOf({ address, vars }: MemberHost): string {
  return vars.mariadb_address ?? address;
}

export function makeMemberTasks({ cluster, params, facts, decision, lost, running, aside }: Scope): MemberTasks {
  const size = cluster.members.length;
  const server = (host: MemberHost, joined: number): readonly Task[] => [
    ...(host.vars.mariadb_runtime === "docker"
      ? dockerServer(host.vars, size, joined, params.joinTimeoutMs)
      : nativeServer(size, joined, params.joinTimeoutMs)),
    inRotation(host),
    // The server may have been up all along, and not be Synced.
    synced(host.vars.mariadb_runtime, joined, params.joinTimeoutMs),
    record(),
  ];
  const isDetached = ({ name }: MemberHost): boolean => decision.kind === "join" && decision.restart.includes(name);
  const hasLostItsData = ({ name }: MemberHost): boolean => lost.includes(name) && joinersOf(decision).includes(name);
  const givenUp = (host: MemberHost): readonly Task[] => {
    const why = aside?.get(host.name);
    return why === undefined ? [] : [stopped(host.vars), dataAside(why)];
  };
  return {
    files(host) {
      const known = facts.get(host.name);
      if (known === undefined) throw new RefusedError(`nothing is known of ${host.name}`);
      const settings = settingsFor({ name: host.name, address: addressOf(host) }, host.vars, known, cluster);
      const first = decision.kind === "bootstrap" && decision.host === host.name;
      return [
        ...(host.vars.mariadb_runtime === "docker" ? dockerFiles(host.vars, params, settings) : nativeFiles(settings)),
        // Before any flag is set anywhere: two would make two clusters.
        ...(first ? [] : [file({ path: FLAG, state: "absent" })]),
        // Its volume is mounted by now, and empty: it may take a copy of the others' data.
        ...(hasLostItsData(host) ? [file({ path: RECORD, state: "absent" })] : []),
      ];
    },
    options(host) {
      const { mariadb_runtime: runtime } = host.vars;
      const plan = running?.get(host.name);
      if (plan === undefined) return [];
      return applyOptions(plan, optionFile(runtime), loginTo(host.vars, params.credentials.rootPassword));
    },
    clear: givenUp,
    server: (host, joined) => [...(isDetached(host) ? [reconnect(host)] : []), ...server(host, joined)],
    bootstrap: (host) => [arm(host, decision), ...server(host, 1)],
    promote: (host) => [promoted(host.vars), synced(host.vars.mariadb_runtime, 1, params.joinTimeoutMs)],
    accounts: (host) => accounts(host.vars, params, host.name),
  };
}

/** Those that are sent what the others have. */
function joinersOf(decision: Decision): readonly string[] {
  if (decision.kind === "refuse") return [];
  return decision.kind === "join" ? decision.start : decision.joiners;
}

/** Where the data did not stop cleanly, the request is for the very place that was measured. */
function arm({ vars }: MemberHost, decision: Decision): Task {
  const at = decision.kind === "bootstrap" ? decision.at : undefined;
  const text = at === undefined ? "" : `at ${at.uuid}:${at.seqno}`;
  return command(
    {
      run: sh`printf %s ${text} >${`${FLAG}.new`} && mv -f ${`${FLAG}.new`} ${FLAG} && sync ${STATE}`,
      unless: sh`${isSynced(vars.mariadb_runtime, 1)} || { [ -n "$(find ${FLAG} -mmin -5 2>/dev/null)" ] && [ "$(cat ${FLAG})" = ${text} ]; }`,
    },
    { name: "request to bootstrap, once" },
  );
}

/** An earlier run may have drained the member, and ended before it restarted it. */
function inRotation({ vars }: MemberHost): Task {
  return command(
    {
      run: sh`${asRoot(vars.mariadb_runtime, "SET GLOBAL wsrep_desync = OFF")} && rm -f ${DRAINED}`,
      unless: sh`[ ! -e ${DRAINED} ]`,
    },
    { name: "back in rotation" },
  );
}

/** A server that lost its group does not look for it again. */
function reconnect({ vars }: MemberHost): Task {
  return command(
    {
      run:
        vars.mariadb_runtime === "docker"
          ? sh`docker restart --time 600 ${MARIADB_CONTAINER}`
          : sh`systemctl restart mariadb`,
      unless: isConnected(vars.mariadb_runtime),
      timeoutMs: 900_000,
    },
    { name: "restart of a server that lost its group" },
  );
}

/**
 * Notes the cluster beside the data: a host whose data is gone then does not look like one that never had any. The mark of
 * a first start goes: these tables have a history now.
 */
function record(): Task {
  const mark = `${DATA}/.keybuzz-first-start`;
  const uuid = sh`u=$(sed -n 's/^uuid: *//p' ${`${DATA}/grastate.dat`} 2>/dev/null) && [ -n "$u" ] || exit 1`;
  return command(
    {
      run: sh`${uuid}
printf '%s\n' "$u" >${`${RECORD}.new`} && mv -f ${`${RECORD}.new`} ${RECORD} && rm -f ${mark}`,
      unless: sh`${uuid}
[ "$u" = "$(cat ${RECORD} 2>/dev/null)" ] && [ ! -e ${mark} ]`,
    },
    { name: "note of the cluster that this host belongs to" },
  );
}
