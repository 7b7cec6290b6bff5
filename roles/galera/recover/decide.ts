import { Crowd } from "../crowd.ts";
import { type Decision, decideStart } from "../decide.ts";
import { conditionOf, type Evidence, type Position, type SeenMember } from "../evidence.ts";
import { givenUp, type Loss, renderLoss } from "./loss.ts";

/** What the operator said besides "recover". */
export interface RecoveryOptions {
  /** The member that a new cluster would start from. */
  readonly seed: string;
  /** Hosts that the operator switched off for certain: they are not counted, and not waited for. */
  readonly fenced: readonly string[];
  /** What the operator gives up, as measured: `maria-03:1234`; one entry a host. */
  readonly acceptLoss: readonly string[];
  /** Whether members that all have their last view are left to restore it by themselves. */
  readonly restoreView: boolean;
}

/** What to do about a cluster that does not serve. */
export type Recovery =
  /** Start members so; `aside` loses its data (moved aside, and kept) before it joins. */
  | {
      readonly kind: "start";
      readonly decision: Exclude<Decision, { kind: "refuse" }>;
      readonly aside: readonly Loss[];
      readonly why: string;
    }
  /** Stop these, and ask InnoDB of those how much they have; then decide again. */
  | {
      readonly kind: "measure";
      readonly stop: readonly string[];
      readonly measure: readonly string[];
      readonly why: string;
    }
  /** Forget that these were members: the operator gives up a cluster of which no data is left. */
  | { readonly kind: "forget"; readonly hosts: readonly string[]; readonly why: string }
  | { readonly kind: "refuse"; readonly why: string; readonly hint: string };

const NOTHING_TOUCHED = "nothing was started";

/**
 * Decides how a cluster comes back, from evidence about all of its members; asked again with what was measured meanwhile.
 *
 * What {@link decideStart} can decide is done so: a live cluster is never bootstrapped beside, members with their last
 * view restore it themselves. Otherwise the places of all are compared: the one that has the most goes on, under the same
 * UUID. It refuses where a host cannot be asked, where data of two histories meets, or where anything would be lost,
 * unless the operator named exactly that.
 */
export function decideRecovery(members: readonly Evidence[], options: RecoveryOptions): Recovery {
  const misfenced = refuseFence(members, options.fenced);
  if (misfenced !== undefined) return misfenced;
  const crowd = new Crowd(members.filter(({ host }) => !options.fenced.includes(host)));
  const regular = decideStart(
    crowd.all.map(({ member }) => member),
    { seed: options.seed },
  );
  if (regular.kind === "join") return joinLive(crowd, regular, options);
  if (crowd.has("live") && regular.kind === "refuse") return regular;
  const strange = refuseStrange(crowd);
  if (strange !== undefined) return strange;
  if (regular.kind === "bootstrap" && regular.fresh) {
    return refuse("no member has data, and none ever had", "kb play galera.ts makes a new cluster");
  }
  if (regular.kind === "bootstrap" || (regular.kind === "together" && mayRestore(crowd, options))) {
    return { kind: "start", decision: regular, aside: [], why: regular.why };
  }
  return measureFirst(crowd) ?? compare(crowd, options);
}

type Refusal = Extract<Recovery, { kind: "refuse" }>;

function refuse(why: string, hint: string): Refusal {
  return { kind: "refuse", why, hint: `${hint}; ${NOTHING_TOUCHED}` };
}

function list(hosts: readonly string[]): string {
  return hosts.join(", ");
}

function refuseFence(members: readonly Evidence[], fenced: readonly string[]): Refusal | undefined {
  const strangers = fenced.filter((name) => !members.some(({ host }) => host === name));
  if (strangers.length > 0) return refuse(`${list(strangers)} is no member`, "fenced names hosts of the inventory");
  const up = members.filter((member) => member.kind === "seen" && fenced.includes(member.host));
  if (up.length === 0) return undefined;
  return refuse(
    `${list(up.map(({ host }) => host))} was said to be switched off, and answers`,
    "leave it out of fenced",
  );
}

/** A view can be restored by members that all saved it; one that runs without a majority is sooner made primary again. */
function mayRestore(crowd: Crowd, { restoreView }: RecoveryOptions): boolean {
  return restoreView && !crowd.has("partitioned");
}

/** The cluster lives: others join it; those that have what it lacks, once the operator gives that up. */
function joinLive(crowd: Crowd, join: Extract<Decision, { kind: "join" }>, { acceptLoss }: RecoveryOptions): Recovery {
  const live = crowd.seen("live");
  const [best] = live.map(({ server }): Position => ({ uuid: server?.uuid ?? "", seqno: server?.committed ?? -1 }));
  const isLeft = ({ host }: SeenMember): boolean => join.left.some((left) => left.host === host);
  const losses = crowd
    .seen("clean", "crashed")
    .filter(isLeft)
    .map((member) => lossBeside(member, best));
  const accepted = losses.filter((loss) => acceptLoss.includes(renderLoss(loss)));
  const left = join.left.flatMap((one) => {
    const loss = losses.find(({ host }) => host === one.host);
    if (loss === undefined) return [one];
    return accepted.includes(loss) ? [] : [{ ...one, why: `${one.why}. To move it aside and join: ${askFor([loss])}` }];
  });
  const decision = { ...join, start: [...join.start, ...accepted.map(({ host }) => host)], left };
  return { kind: "start", decision, aside: accepted, why: join.why };
}

/** What a stopped member has that the live cluster lacks. */
function lossBeside({ host, saved, position }: SeenMember, best: Position | undefined): Loss {
  const own = position !== undefined && position !== "none" ? position : saved;
  if (own === undefined || own.seqno < 0) return { host, writes: "unknown", why: "diverged", needsWord: true };
  const writes = own.uuid === best?.uuid ? own.seqno - best.seqno : own.seqno;
  return { host, writes, why: "diverged", needsWord: true };
}

/** What rules out any recovery. */
function refuseStrange(crowd: Crowd): Refusal | undefined {
  const unseen = crowd.names("unknown");
  if (unseen.length > 0) {
    return refuse(
      `${list(unseen)} cannot be asked: it may be running, and may have the latest writes`,
      `mend the way there; or switch it off for certain (console, provider's API) and say so: ${unseen.map((host) => `-e fenced=${host}`).join(" or ")}`,
    );
  }
  const making = crowd.names("initialising");
  if (making.length > 0) return refuse(`${list(making)} makes a new cluster`, "kb play galera.ts goes on with that");
  const strange = crowd.seen("foreign").filter(({ server, running }) => server !== undefined || running);
  if (strange.length === 0) return undefined;
  return refuse(
    `${list(strange.map(({ host }) => host))} runs a server that is in no cluster`,
    "stop that server first",
  );
}

/** A member whose InnoDB can be asked for its place. */
function canBeMeasured(member: SeenMember): boolean {
  return member.tables && !member.receiving && !member.movingAside && !member.initialising;
}

/** What has to be stopped or measured before places can be compared; undefined where all is known. */
function measureFirst(crowd: Crowd): Recovery | undefined {
  const stop = crowd.names("waiting", "detached");
  const measure = crowd.all.flatMap(({ member, condition }) =>
    member.kind === "seen" &&
    ["waiting", "detached", "crashed", "half-transfer", "foreign"].includes(condition) &&
    canBeMeasured(member) &&
    (stop.includes(member.host) || member.position === undefined)
      ? [member.host]
      : [],
  );
  if (stop.length === 0 && measure.length === 0) return undefined;
  return { kind: "measure", stop, measure, why: "no view can be restored: the places of all have to be compared" };
}

/** A member with the place that counts for it. */
interface Placed {
  readonly member: SeenMember;
  readonly position: Position | undefined;
  /** Whether it may be the one that goes on: its data is whole, as far as Galera knows. */
  readonly whole: boolean;
}

function place(member: SeenMember): Placed {
  const condition = conditionOf(member);
  const { server, saved, position } = member;
  if (condition === "partitioned" && server !== undefined) {
    return { member, position: { uuid: server.uuid, seqno: server.committed }, whole: true };
  }
  if (condition === "clean" && saved !== undefined) return { member, position: saved, whole: true };
  const measured = canBeMeasured(member) && position !== "none" ? position : undefined;
  return { member, position: measured, whole: measured !== undefined && !member.disowned };
}

/** All is stopped, or without a majority, and measured. */
function compare(crowd: Crowd, options: RecoveryOptions): Recovery {
  const placed = crowd.all.flatMap(({ member }) => (member.kind === "seen" ? [place(member)] : []));
  const whole = placed.filter((one): one is Placed & { position: Position } => one.whole && one.position !== undefined);
  if (whole.length === 0) return withoutData(placed, options);
  const histories = [...new Set(whole.map(({ position }) => position.uuid))].map((uuid) => {
    const best = furthest(whole.filter(({ position }) => position.uuid === uuid));
    const losses = placed.flatMap((one) => (one === best ? [] : givenUp(one, best.position)));
    return {
      uuid,
      best,
      losses,
      open: losses.filter((loss) => loss.needsWord && !options.acceptLoss.includes(renderLoss(loss))),
    };
  });
  const settled = histories.filter(({ open }) => open.length === 0);
  const [only, ...more] = settled;
  if (only !== undefined && more.length === 0) return goOn(crowd, only.best, only.losses);
  const ways = histories.map(
    ({ uuid, best, losses }) =>
      `to go on with ${best.member.host} at ${uuid.slice(0, 8)}:${best.position.seqno}: ${askFor(losses.filter(({ needsWord }) => needsWord))}`,
  );
  const why =
    histories.length > 1
      ? `the members hold data of ${histories.length} different histories, and joining replaces all but one`
      : `${list((histories[0]?.open ?? []).map(({ host }) => host))} may have had writes that no other has`;
  return refuse(why, `copy the data folders first; ${ways.join("; ")}`);
}

/** What the operator types to give this up. */
function askFor(losses: readonly Loss[]): string {
  return `-e accept_loss=${losses.map(renderLoss).join(",")}`;
}

/** The one that has the most: where several do, one that still runs, then one that was the last to leave. */
function furthest<T extends Placed & { position: Position }>(members: readonly T[]): T {
  const rank = ({ member, position }: T): readonly number[] => [
    position.seqno,
    member.server === undefined ? 0 : 1,
    member.saved?.safe === true ? 1 : 0,
  ];
  return members.reduce((best, one) => (isGreater(rank(one), rank(best)) ? one : best));
}

function isGreater(some: readonly number[], others: readonly number[]): boolean {
  const at = some.findIndex((value, index) => value !== others[index]);
  return at >= 0 && (some[at] ?? 0) > (others[at] ?? 0);
}

function goOn(crowd: Crowd, best: Placed & { position: Position }, losses: readonly Loss[]): Recovery {
  const { member, position } = best;
  const joiners = crowd.others([member.host]);
  const aside = losses.filter(({ why }) => why !== "lost");
  const at = `${member.host} has all that any other has, up to ${position.uuid.slice(0, 8)}:${position.seqno}`;
  if (member.server !== undefined) {
    return { kind: "start", decision: { kind: "promote", host: member.host, joiners, why: at }, aside, why: at };
  }
  // Those that still run have less: they would stay without a majority, and hinder the one that goes on.
  const running = crowd.names("partitioned");
  if (running.length > 0) {
    return { kind: "measure", stop: running, measure: [], why: `${at}, more than those that run without a majority` };
  }
  const decision = { kind: "bootstrap", host: member.host, fresh: false, at: position, joiners, why: at } as const;
  return { kind: "start", decision, aside, why: at };
}

/** Nobody has any data to go on with. */
function withoutData(placed: readonly Placed[], { acceptLoss, fenced }: RecoveryOptions): Recovery {
  const remains = placed.filter(({ member }) => member.tables && !member.movingAside);
  if (remains.length > 0) {
    return refuse(
      `${list(remains.map(({ member }) => member.host))} has data in which no place can be found, and no other has any`,
      "restore a backup, or dump what can still be read",
    );
  }
  const known = placed.filter(({ member }) => member.recorded !== undefined);
  if (known.length === 0 || fenced.length > 0) {
    return refuse("no member that can be asked has data", "restore a backup; a host that was switched off may have it");
  }
  const hosts = known.map(({ member }) => member.host);
  const word = `everything-of-${(known[0]?.member.recorded ?? "").slice(0, 8)}`;
  if (acceptLoss.includes(word)) return { kind: "forget", hosts, why: "the operator gives up a cluster without data" };
  return refuse(
    `no member has data, but ${list(hosts)} had: all of it is gone, or its volume is not mounted`,
    `mount the volumes, or restore a backup; to give everything up and begin anew: -e accept_loss=${word}`,
  );
}
