import { ParamsError, RefusedError } from "../errors.ts";

/** A number of hosts: so many of them, or a share of the group. */
export type HostCount = number | `${number}%`;

/** A floor under the healthy hosts of a group: so many, a share (rounded up), or more than half of them. */
export type HealthFloor = HostCount | "quorum";

/** How the hosts of one group are cut into batches. */
export interface BatchRules {
  /** Hosts at once. Of a list, each batch takes the next size, and the last size holds for all that follow. */
  readonly max: HostCount | readonly HostCount[];
  /** Hosts of the group that stay out of every batch, so that they can carry its load. */
  readonly minHealthy?: HealthFloor | undefined;
}

/** A host as the plan sees it. */
export interface PlannedHost {
  readonly name: string;
  /** The value of `by`: batches never mix groups. */
  readonly group: string;
  /** False for one that only counts as a member of its group: outside of the limit, failed, or not to be worked on. */
  readonly taking: boolean;
}

/** The batches of one group, in order. */
export interface GroupPlan {
  readonly group: string;
  /** All of its hosts, those that are not worked on included. */
  readonly members: readonly string[];
  /** Hosts that have to stay healthy; undefined where no floor was asked for. */
  readonly floor: number | undefined;
  readonly batches: readonly (readonly string[])[];
}

/**
 * The batches of a rolling run: for each group its own, the groups side by side.
 *
 * As in Ansible, a share is rounded down but takes one host at least. A floor makes batches smaller, never larger: with
 * three members and `minHealthy: "quorum"`, one is taken at a time whatever `max` says.
 * @throws RefusedError where the floor leaves no host to begin with
 * @see https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_strategies.html#setting-the-batch-size-with-serial
 */
export function planBatches(hosts: readonly PlannedHost[], rules: BatchRules): readonly GroupPlan[] {
  const groups = [...new Set(hosts.map(({ group }) => group))];
  return groups.map((group) => {
    const members = hosts.filter((host) => host.group === group);
    const taking = members.filter((host) => host.taking).map(({ name }) => name);
    const floor = rules.minHealthy === undefined ? undefined : floorOf(rules.minHealthy, members.length);
    const room = members.length - (floor ?? 0);
    if (room < 1 && taking.length > 0) throw noRoom(group, members.length, floor ?? 0);
    return { group, members: members.map(({ name }) => name), floor, batches: cut(taking, rules.max, room) };
  });
}

function cut(hosts: readonly string[], max: BatchRules["max"], room: number): readonly (readonly string[])[] {
  const sizes = typeof max === "object" ? max : [max];
  const batches: (readonly string[])[] = [];
  let start = 0;
  while (start < hosts.length) {
    const wanted = sizes[Math.min(batches.length, sizes.length - 1)] ?? 1;
    const size = Math.min(room, Math.max(1, shareOf(wanted, hosts.length)));
    batches.push(hosts.slice(start, start + size));
    start += size;
  }
  return batches;
}

/** The hosts of a group that have to stay healthy, of all that it has. */
export function floorOf(floor: HealthFloor, members: number): number {
  if (floor === "quorum") return Math.floor(members / 2) + 1;
  return typeof floor === "number" ? floor : Math.ceil((members * percentOf(floor)) / 100);
}

/** A count of so many hosts, rounded down: half a host is none. */
export function shareOf(count: HostCount, hosts: number): number {
  return typeof count === "number" ? count : Math.floor((hosts * percentOf(count)) / 100);
}

function percentOf(share: `${number}%`): number {
  return Number(share.slice(0, -1));
}

/**
 * Refuses counts that mean nothing: half a host, 120 %.
 * @param least 1 for a size, 0 for a budget
 * @throws ParamsError
 */
export function requireCount(what: string, count: HostCount, least: 0 | 1): void {
  const percent = typeof count === "string" ? percentOf(count) : undefined;
  const fits =
    percent === undefined
      ? Number.isInteger(count) && Number(count) >= least
      : Number.isFinite(percent) && percent >= 0 && percent <= 100 && !(least === 1 && percent === 0);
  if (fits) return;
  throw new ParamsError(`${what}: ${JSON.stringify(count)} is no number of hosts`, {
    hint: `a whole number from ${least}, or a share of the group such as "25%"`,
  });
}

function noRoom(group: string, members: number, floor: number): RefusedError {
  const named = group === "" ? "the group" : group;
  return new RefusedError(`no host of ${named} can be taken: ${floor} of its ${members} have to stay healthy`, {
    hint: "add a host to the group, or lower minHealthy for this run",
  });
}
