import { type Condition, conditionOf, type Evidence, type SavedView, type SeenMember } from "./evidence.ts";

/** The members, by what they are. */
export class Crowd {
  readonly all: readonly { readonly member: Evidence; readonly condition: Condition }[];

  constructor(members: readonly Evidence[]) {
    this.all = members.map((member) => ({ member, condition: conditionOf(member) }));
  }

  names(...conditions: readonly Condition[]): readonly string[] {
    return this.all.filter(({ condition }) => conditions.includes(condition)).map(({ member }) => member.host);
  }

  seen(...conditions: readonly Condition[]): readonly SeenMember[] {
    return this.all.flatMap(({ member, condition }) =>
      member.kind === "seen" && conditions.includes(condition) ? [member] : [],
    );
  }

  has(...conditions: readonly Condition[]): boolean {
    return this.names(...conditions).length > 0;
  }

  /** All but these, in the order of the inventory. */
  others(hosts: readonly string[]): readonly string[] {
    return this.all.map(({ member }) => member.host).filter((host) => !hosts.includes(host));
  }
}

/** The cluster that a member's server, or its data, belongs to; undefined where it has none. */
export function clusterOf(member: SeenMember): string | undefined {
  return member.server?.uuid ?? member.saved?.uuid;
}

/** The view that all of these saved, where they are all of its members and no one else; undefined otherwise. */
export function commonView(members: readonly SeenMember[]): string | undefined {
  const [first, ...rest] = members.map(({ view }) => view);
  if (first === undefined || rest.some((view) => view === undefined || !sameView(view, first))) return undefined;
  const selves = new Set(members.map(({ view }) => view?.self));
  const whole = first.members.length === selves.size && first.members.every((name) => selves.has(name));
  return whole ? first.id : undefined;
}

function sameView(a: SavedView, b: SavedView): boolean {
  return a.id === b.id && [...a.members].sort().join() === [...b.members].sort().join();
}
