import type { Position, SeenMember } from "../evidence.ts";

/** What is given up with a member's data. */
export interface Loss {
  readonly host: string;
  /** Write sets that no other member has, as far as they can be counted. */
  readonly writes: number | "unknown";
  /** `diverged`: another history; `unreadable`, `inconsistent`: data that cannot go on; `lost`: its data is gone already. */
  readonly why: "diverged" | "unreadable" | "inconsistent" | "lost";
  /** Whether the operator has to say so first; not where the others have all of it. */
  readonly needsWord: boolean;
}

/** A loss as the operator types it. */
export function renderLoss({ host, writes }: Loss): string {
  return `${host}:${writes}`;
}

/**
 * What is lost of a member when another goes on from `best`; nothing where it is sent what it lacks, and has nothing more.
 */
export function givenUp(
  { member, position }: { readonly member: SeenMember; readonly position: Position | undefined },
  best: Position,
): readonly Loss[] {
  const { host } = member;
  if (member.movingAside || member.receiving) return [];
  if (position === undefined) {
    if (!member.tables)
      return member.recorded === undefined ? [] : [{ host, writes: "unknown", why: "lost", needsWord: true }];
    return member.initialising ? [] : [{ host, writes: "unknown", why: "unreadable", needsWord: true }];
  }
  if (position.uuid !== best.uuid) return [{ host, writes: position.seqno, why: "diverged", needsWord: true }];
  const ahead = position.seqno - best.seqno;
  if (member.disowned) return [{ host, writes: Math.max(0, ahead), why: "inconsistent", needsWord: ahead > 0 }];
  return [];
}
