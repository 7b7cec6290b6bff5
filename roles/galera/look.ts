import { type HostAnswer, type Hosts, probeAll, RefusedError } from "@keybuzz/runner";
import { IMAGE_USER } from "./docker.ts";
import { conditionOf, type Evidence, type SeenMember } from "./evidence.ts";
import { type HostFacts, hostFacts } from "./facts.ts";
import { addressOf } from "./member.ts";
import type { GaleraParams, GaleraVars } from "./params.ts";
import type { Cluster } from "./settings.ts";
import { galeraState } from "./state.ts";

type Answer = HostAnswer<GaleraVars, { readonly state: SeenMember; readonly facts: HostFacts }>;

/** Everything that was seen of the members. */
export interface Look {
  /** All declared members, those that could not be asked among them. */
  readonly evidence: readonly Evidence[];
  readonly facts: ReadonlyMap<string, HostFacts>;
  /** Members that were part of a cluster, and have no data. */
  readonly lost: readonly string[];
}

/**
 * Looks at all members, whatever `--limit` says.
 * @throws RefusedError where nothing may be done to hosts that look like this
 */
export async function look(hosts: Hosts<GaleraVars>, { credentials }: GaleraParams): Promise<Look> {
  const answers = await hosts.probeDeclared((host) =>
    probeAll({
      state: galeraState(host.name, host.vars.mariadb_runtime, credentials.rootPassword),
      facts: hostFacts(host.vars.mariadb_runtime, host.vars.mariadb_data_device),
    }),
  );
  refuseStrangers(answers);
  refuseOwners(answers);
  refuseRename(answers, credentials.clusterName);
  const states = answers.map(({ value }) => value.state);
  return {
    evidence: hosts.declared.map((host): Evidence => {
      const state = states.find((one) => one.host === host.name);
      const reason = hosts.lost.find((lost) => lost.host.name === host.name)?.error.message ?? "no answer";
      return state ?? { kind: "unseen", host: host.name, reason };
    }),
    facts: new Map(answers.map(({ host, value }) => [host.name, value.facts])),
    lost: states
      .filter((state) => state.recorded !== undefined && conditionOf(state) === "empty")
      .map(({ host }) => host),
  };
}

/** @throws RefusedError for a member without an IPv4 address, which Galera needs */
export function describeCluster(hosts: Hosts<GaleraVars>, { credentials }: GaleraParams): Cluster {
  const members = hosts.declared.map((host) => ({ name: host.name, address: addressOf(host) }));
  const wrong = members.find(({ address }) => !/^\d+(\.\d+){3}$/.test(address));
  if (wrong !== undefined) {
    throw new RefusedError(`${wrong.name} is at ${wrong.address}, and Galera needs an IPv4 address`, {
      hint: "give it ansible_host or mariadb_address in the inventory",
    });
  }
  return { name: credentials.clusterName, members, sstPassword: credentials.sstPassword };
}

/** Options of another product in a file that nobody looks at have kept servers from starting. */
function refuseStrangers(answers: readonly Answer[]): void {
  const found = answers.filter(({ value }) => value.facts.strangers.length > 0);
  if (found.length === 0) return;
  throw new RefusedError("there are option files that nothing here manages, and the server would read them", {
    detail: found.map(({ host, value }) => `${host.name}: ${value.facts.strangers.join(", ")}`).join("\n"),
    hint: "move them away; what is needed of them goes to mariadb_settings in the inventory",
  });
}

/** The image's user and the package's have different numbers: data that one runtime made is not handed to the other. */
function refuseOwners(answers: readonly Answer[]): void {
  const found = answers.flatMap(({ host, value: { facts } }) => {
    const server = host.vars.mariadb_runtime === "docker" ? IMAGE_USER : facts.mysqlUser;
    const mixed = facts.dataOwner !== undefined && facts.dataOwner !== server;
    return mixed
      ? [`${host.name}: the data belongs to ${facts.dataOwner}, the server runs as ${server ?? "nobody yet"}`]
      : [];
  });
  if (found.length === 0) return;
  throw new RefusedError("the data folder belongs to another user than the server", {
    detail: found.join("\n"),
    hint: "did mariadb_runtime change? Keep the runtime, or replace one member after the other by an empty one",
  });
}

/** A member with another name for the cluster does not find the others. */
function refuseRename(answers: readonly Answer[], name: string): void {
  const other = answers.flatMap(({ host, value: { state } }) =>
    state.server?.wsrepOn === true && state.server.name !== name ? [`${host.name}: ${state.server.name}`] : [],
  );
  if (other.length === 0) return;
  throw new RefusedError(`the cluster that runs has another name than ${name}`, {
    detail: other.join("\n"),
    hint: "a running cluster keeps its name: set GALERA_CLUSTER_NAME in the credentials to that",
  });
}
