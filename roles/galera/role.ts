import { defineRole, type HostAnswer, type Hosts, probeAll, RefusedError } from "@keybuzz/runner";
import { type Decision, decideStart } from "./decide.ts";
import { IMAGE_USER } from "./docker.ts";
import { conditionOf, type Evidence, type SeenMember } from "./evidence.ts";
import { type HostFacts, hostFacts } from "./facts.ts";
import { addressOf, type MemberHost, type MemberTasks, makeMemberTasks } from "./member.ts";
import { GaleraHost, type GaleraParams, type GaleraVars, galeraParams } from "./params.ts";
import { proofTable } from "./proof.ts";
import type { Cluster } from "./settings.ts";
import { galeraState } from "./state.ts";

export { GaleraHost } from "./params.ts";

type Answer = HostAnswer<GaleraVars, { readonly state: SeenMember; readonly facts: HostFacts }>;

/**
 * A Galera cluster: its members' files and servers, started in the only order that is safe, its accounts and database.
 *
 * Who starts how is decided from evidence about all members, before anything is touched (`decide.ts`).
 */
export const galera = defineRole({
  name: "galera",
  summary: "A MariaDB Galera cluster, started in the only order that is safe",
  params: galeraParams,
  host: GaleraHost,
  async run({ hosts, params }) {
    const cluster = describeCluster(hosts, params);
    const answers = await hosts.probeDeclared((host) =>
      probeAll({
        state: galeraState(host.name, host.vars.mariadb_runtime, params.credentials.rootPassword),
        facts: hostFacts(host.vars.mariadb_runtime, host.vars.mariadb_data_device),
      }),
    );
    refuseStrangers(answers);
    refuseOwners(answers);
    refuseRename(answers, cluster.name);
    const decision = decide(hosts, answers);
    const facts = new Map(answers.map(({ host, value }) => [host.name, value.facts]));
    const lost = answers.filter(
      ({ value: { state } }) => state.recorded !== undefined && conditionOf(state) === "empty",
    );
    const tasks = makeMemberTasks({ cluster, params, facts, decision, lost: lost.map(({ host }) => host.name) });
    await prepare(hosts, tasks);
    await start(hosts, tasks, decision);
    reportLeft(decision);
  },
});

function describeCluster(hosts: Hosts<GaleraVars>, { credentials }: GaleraParams): Cluster {
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

/** Decides, and shows what from wherever a member is to be started, or nothing can be. */
function decide(hosts: Hosts<GaleraVars>, answers: readonly Answer[]): Exclude<Decision, { kind: "refuse" }> {
  const evidence = hosts.declared.map((host): Evidence => {
    const answer = answers.find((one) => one.host.name === host.name);
    if (answer !== undefined) return answer.value.state;
    const reason = hosts.lost.find((lost) => lost.host.name === host.name)?.error.message ?? "no answer";
    return { kind: "unseen", host: host.name, reason };
  });
  const [seed] = hosts.declared;
  const decision = decideStart(evidence, { seed: seed?.name ?? "" });
  if (decision.kind !== "join" || decision.live.length < evidence.length) proofTable(hosts, evidence, decision);
  if (decision.kind === "refuse") throw new RefusedError(decision.why, { hint: decision.hint });
  return decision;
}

/** What touches no running server, everywhere at once. All of it has to succeed before any server is touched. */
async function prepare(hosts: Hosts<GaleraVars>, tasks: MemberTasks): Promise<void> {
  const { failed } = await hosts.ensure((host) => tasks.files(host));
  if (failed.length === 0) return;
  throw new RefusedError(`${failed.join(", ")} failed, so no server was started, stopped or restarted`, {
    hint: "mend what is named above, then run the same command again",
  });
}

async function start(
  hosts: Hosts<GaleraVars>,
  tasks: MemberTasks,
  decision: Exclude<Decision, { kind: "refuse" }>,
): Promise<void> {
  switch (decision.kind) {
    case "bootstrap": {
      requireChosen(hosts, decision.host);
      await oneByOne(hosts, [decision.host], (host) => [...tasks.bootstrap(host), ...tasks.accounts(host)]);
      await oneByOne(hosts, decision.joiners, (host, before) => tasks.server(host, 2 + before));
      return;
    }
    case "together": {
      const [first = ""] = decision.hosts;
      for (const host of decision.hosts) requireChosen(hosts, host);
      const size = decision.hosts.length;
      const { failed } = await hosts.only(...decision.hosts).ensure((host) => tasks.server(host, size));
      if (failed.length > 0) throw new RefusedError(`${failed.join(", ")} did not come up, so no other was started`);
      await oneByOne(hosts, [first], (host) => tasks.accounts(host));
      await oneByOne(hosts, decision.joiners, (host, before) => tasks.server(host, size + 1 + before));
      return;
    }
    case "join": {
      const [writer = ""] = decision.live;
      const up = decision.live.length;
      const whole = up + decision.restart.length + decision.start.length;
      // An earlier run may have ended before it made them, and an older version's transfers need one of them.
      if (decision.start.length > 0) await oneByOne(hosts, [writer], (host) => tasks.accounts(host));
      await oneByOne(hosts, [...decision.restart, ...decision.start], (host, before) =>
        tasks.server(host, up + 1 + before),
      );
      // The writer last: a restart moves it once, and not with each of its successors.
      await oneByOne(hosts, decision.live.toReversed(), (host) => [
        ...tasks.server(host, whole),
        ...(host.name === writer ? tasks.accounts(host) : []),
      ]);
    }
  }
}

/**
 * One member after the other, in this order; stops at the first failure. `before` is how many of these took part so far:
 * `--limit` leaves some out.
 */
async function oneByOne(
  hosts: Hosts<GaleraVars>,
  names: readonly string[],
  tasks: (host: MemberHost, before: number) => ReturnType<MemberTasks["server"]>,
): Promise<void> {
  let before = 0;
  for (const name of names) {
    const member = hosts.only(name);
    const taking = member.live.length;
    await member.serial(1).ensure((host) => tasks(host, before));
    before += taking;
  }
}

function requireChosen(hosts: Hosts<GaleraVars>, name: string): void {
  if (hosts.live.some((host) => host.name === name)) return;
  throw new RefusedError(`${name} has to start first, and does not take part`, {
    hint: "run without --limit, or with that host in it",
  });
}

/** Members that wait for an operator make the run fail, once all others are well. */
function reportLeft(decision: Decision): void {
  if (decision.kind !== "join" || decision.left.length === 0) return;
  throw new RefusedError(`the cluster is live without ${decision.left.map(({ host }) => host).join(", ")}`, {
    detail: decision.left.map(({ host, why }) => `${host} ${why}`).join("\n"),
  });
}
