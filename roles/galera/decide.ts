import { Crowd, clusterOf, commonView } from "./crowd.ts";
import type { Condition, Evidence, Position } from "./evidence.ts";

/** A member that is not started, and why. */
export interface LeftAlone {
  readonly host: string;
  readonly why: string;
}

/** How the members of a cluster are to be started. Nothing but `bootstrap` and `promote` makes or re-makes a primary component. */
export type Decision =
  /** There is a cluster. `start` one after the other, `restart` those that lost their group, leave the rest. */
  | {
      readonly kind: "join";
      readonly live: readonly string[];
      readonly start: readonly string[];
      readonly restart: readonly string[];
      readonly left: readonly LeftAlone[];
      readonly why: string;
    }
  /** `host` starts as the first of its cluster; then the others, one after the other. */
  | {
      readonly kind: "bootstrap";
      readonly host: string;
      /** Whether it makes a new, empty cluster; otherwise it goes on with its own data. */
      readonly fresh: boolean;
      /** The place that its data was measured at, where it did not stop cleanly: the request counts for that data alone. */
      readonly at?: Position;
      readonly joiners: readonly string[];
      readonly why: string;
    }
  /** These start as usual, at once, or run already, and find together by themselves; then the others, one by one. */
  | {
      readonly kind: "together";
      readonly hosts: readonly string[];
      readonly joiners: readonly string[];
      readonly why: string;
    }
  /** `host` runs without a majority and has all that any other has: it is made primary again as it is; the others join. */
  | {
      readonly kind: "promote";
      readonly host: string;
      readonly joiners: readonly string[];
      readonly why: string;
    }
  /** No start is safe. Nothing may be touched. */
  | { readonly kind: "refuse"; readonly why: string; readonly hint: string };

/** What the decision depends on besides the members. */
export interface DecideOptions {
  /** The member that a new cluster starts from. */
  readonly seed: string;
}

const RECOVER = "kb play recover.ts measures what each has, and says what is safe; nothing was touched";

/**
 * Decides how to start the members of one cluster, from evidence about all of them.
 *
 * It bootstraps in two cases only: nobody has data and nobody ever had, or all were stopped cleanly and exactly one was
 * the last to leave and has all that the others have. A member that is live, or could be, rules it out.
 */
export function decideStart(members: readonly Evidence[], options: DecideOptions): Decision {
  const crowd = new Crowd(members);
  if (crowd.has("live")) return decideJoin(crowd);
  return refuseStrange(crowd) ?? decideRunning(crowd) ?? decideStopped(crowd, options);
}

function refuse(why: string, hint: string = RECOVER): Decision {
  return { kind: "refuse", why, hint };
}

function list(hosts: readonly string[]): string {
  return hosts.join(", ");
}

/** Hosts with their verb. */
function they(hosts: readonly string[], one: string, several: string): string {
  return `${list(hosts)} ${hosts.length === 1 ? one : several}`;
}

function names(members: readonly Evidence[]): readonly string[] {
  return members.map(({ host }) => host);
}

/** A cluster is there: others may only join it. */
function decideJoin(crowd: Crowd): Decision {
  const live = crowd.seen("live");
  const uuids = distinct(live.map(({ server }) => server?.uuid ?? ""));
  if (uuids.length > 1) {
    return refuse(`there are ${uuids.length} clusters of this name, each with live members: ${uuids.join(", ")}`);
  }
  const [uuid = ""] = uuids;
  if (crowd.has("initialising")) {
    return refuse(`${they(crowd.names("initialising"), "makes", "make")} a new cluster beside the live one`);
  }
  const committed = Math.max(...live.map(({ server }) => server?.committed ?? -1));
  const judged = crowd.all.map(({ member, condition }) => ({
    host: member.host,
    condition,
    why: reasonToLeave(member, condition, { uuid, seqno: committed }),
  }));
  const willing = judged.filter(({ why }) => why === undefined);
  return {
    kind: "join",
    live: live.map(({ host }) => host),
    start: willing.filter(({ condition }) => !["live", "detached"].includes(condition)).map(({ host }) => host),
    restart: willing.filter(({ condition }) => condition === "detached").map(({ host }) => host),
    left: judged.flatMap(({ host, why }) => (why === undefined ? [] : [{ host, why }])),
    why: `the cluster is live on ${list(live.map(({ host }) => host))}`,
  };
}

/** Why a member must not be started beside a live cluster; undefined where it may. */
function reasonToLeave(member: Evidence, condition: Condition, { uuid, seqno }: Position): string | undefined {
  if (member.kind === "unseen") return `could not be asked: ${member.reason}`;
  if (condition === "foreign") {
    return "holds data or a server that belongs to no cluster; joining would replace it. Move its data folder away";
  }
  if (condition === "partitioned") return "is cut off from the others, and rejoins by itself once the network is whole";
  const own = clusterOf(member);
  if (condition === "clean" && own === uuid && (member.saved?.seqno ?? -1) > seqno) {
    // The members were asked a moment apart, but one that is stopped cannot have got anything in between.
    return `has ${(member.saved?.seqno ?? -1) - seqno} writes that the cluster lacks; joining would lose them`;
  }
  if (condition === "live" || own === undefined || own === uuid) return undefined;
  return `holds the data of another cluster (${own}); joining would replace it. Move its data folder away`;
}

/** What rules out any start while no member is live. */
function refuseStrange(crowd: Crowd): Decision | undefined {
  if (crowd.has("unknown")) {
    return refuse(
      `no live member was found, and ${they(crowd.names("unknown"), "cannot be asked: it", "cannot be asked: they")} may be running`,
      "mend the way there, then run the same command again; nothing was touched",
    );
  }
  if (crowd.has("foreign")) {
    return refuse(
      `${they(crowd.names("foreign"), "holds", "hold")} data or a server that belongs to no cluster`,
      "dump that data, move its folder away, then run the same command again; nothing was touched",
    );
  }
  const uuids = distinct(crowd.all.flatMap(({ member }) => (member.kind === "seen" ? (clusterOf(member) ?? []) : [])));
  return uuids.length > 1 ? refuse(`the members hold data of different clusters: ${uuids.join(", ")}`) : undefined;
}

/** No member is live, and some mariadbd runs. */
function decideRunning(crowd: Crowd): Decision | undefined {
  const stopped = crowd.names("clean", "crashed");
  if (crowd.has("initialising")) return followInitialising(crowd);
  if (crowd.has("partitioned")) {
    if (stopped.length === 0) {
      return refuse(
        `${they(crowd.names("partitioned"), "runs", "run")} without a majority, and no stopped member has data`,
      );
    }
    const hosts = crowd.names("clean", "crashed", "partitioned", "waiting");
    return {
      kind: "together",
      hosts,
      joiners: crowd.others(hosts),
      why: `${they(crowd.names("partitioned"), "lacks", "lack")} a majority, which the stopped members may give back`,
    };
  }
  if (crowd.has("detached"))
    return refuse(`${they(crowd.names("detached"), "has", "have")} lost the group, and nobody is live`);
  if (!crowd.has("waiting")) return undefined;
  const view = commonView(crowd.seen("waiting", "crashed"));
  if (view !== undefined) {
    const hosts = crowd.names("waiting", "crashed");
    return { kind: "together", hosts, joiners: crowd.others(hosts), why: "every member of the last view is at hand" };
  }
  const all = crowd.names("waiting");
  if (all.length === crowd.all.length) {
    return { kind: "together", hosts: all, joiners: [], why: "all members run, and look for each other" };
  }
  return refuse(
    `${they(crowd.names("waiting"), "waits", "wait")} for members that are not all there`,
    "a start without peers gives up after half a minute: run the same command again then, and if it still waits, recover",
  );
}

function followInitialising(crowd: Crowd): Decision {
  const [host = "", ...more] = crowd.names("initialising");
  const rest = crowd.others([host]);
  if (more.length > 0) return refuse(`${list([host, ...more])} make a new cluster each`);
  if (crowd.names("empty").length !== rest.length) {
    return refuse(`${host} makes a new cluster, but others hold data or run`);
  }
  return { kind: "together", hosts: [host], joiners: rest, why: `an earlier run has begun a new cluster on ${host}` };
}

/** Nothing runs anywhere, and all members were seen. */
function decideStopped(crowd: Crowd, { seed }: DecideOptions): Decision {
  if (!crowd.has("clean", "crashed")) return decideEmpty(crowd, seed);
  if (crowd.has("crashed")) return decideCrashed(crowd);
  const clean = crowd.seen("clean");
  if (clean.length < crowd.all.length) {
    return refuse(
      `${they(crowd.others(crowd.names("clean")), "has", "have")} no data any more, and may have had the latest`,
    );
  }
  const [last, ...more] = clean.filter(({ saved }) => saved?.safe);
  if (last === undefined) return refuse("no member was the last to leave (safe_to_bootstrap is 0 on all)");
  if (more.length > 0) {
    return refuse(`${list([last, ...more].map(({ host }) => host))} all claim to have been the last to leave`);
  }
  const seqno = last.saved?.seqno ?? -1;
  const ahead = clean.filter(({ saved }) => (saved?.seqno ?? -1) > seqno).map(({ host }) => host);
  if (ahead.length > 0) {
    return refuse(`${last.host} claims to have been the last to leave, but ${they(ahead, "has", "have")} later writes`);
  }
  return {
    kind: "bootstrap",
    host: last.host,
    fresh: false,
    joiners: crowd.others([last.host]),
    why: `all were stopped cleanly, and ${last.host} was the last to leave, at ${seqno}`,
  };
}

function decideEmpty(crowd: Crowd, seed: string): Decision {
  const members = crowd.seen("empty", "half-transfer");
  const recorded = members.filter((member) => member.recorded !== undefined);
  const [known] = recorded;
  if (known !== undefined) {
    return refuse(
      `no member has data, but ${they(names(recorded), "was", "were")} part of cluster ${known.recorded}`,
      "is a volume not mounted? Restore the data; to give it up for good, remove /opt/keybuzz/mariadb/cluster on each",
    );
  }
  if (crowd.has("half-transfer")) {
    return refuse(
      `${they(crowd.names("half-transfer"), "was", "were")} receiving a cluster's data, and nobody has it any more`,
      "restore the data; to give it up for good, empty the data folder there",
    );
  }
  if (!members.some(({ host }) => host === seed)) return refuse(`the first member, ${seed}, is not in the inventory`);
  return {
    kind: "bootstrap",
    host: seed,
    fresh: true,
    joiners: crowd.others([seed]),
    why: "no member has data, and none ever had",
  };
}

function decideCrashed(crowd: Crowd): Decision {
  const crashed = crowd.seen("crashed");
  if (commonView(crashed) === undefined) {
    return refuse(`${list(names(crashed))} ended without a stop, and the last view cannot be restored`);
  }
  const hosts = crashed.map(({ host }) => host);
  return {
    kind: "together",
    hosts,
    joiners: crowd.others(hosts),
    why: "every member of the last view is at hand, with the view saved: they restore it by themselves",
  };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
