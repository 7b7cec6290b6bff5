/** A node, as far as it matters for the order. */
export interface RollNode {
  readonly name: string;
  readonly address: string;
  readonly serving: boolean;
  /** Why it has to be worked on; empty where it has not. */
  readonly due: readonly string[];
}

/** What a proxy says at run time. */
export interface RollProxy {
  readonly name: string;
  /** Addresses that are ONLINE in the writers' hostgroup. */
  readonly writers: readonly string[];
}

/** In which order nodes are rolled. */
export type RollPlan =
  | { readonly kind: "nothing"; readonly why: string }
  | { readonly kind: "roll"; readonly order: readonly string[]; readonly writer: string; readonly why: string }
  | { readonly kind: "refuse"; readonly why: string; readonly hint: string };

/**
 * Plans a roll: nodes that do not serve first, since nothing else may be stopped while they are away; then the readers, the
 * last of the inventory first; the writer last, so that writes move once.
 *
 * @param silent proxies that could not be asked: what they send where, nobody knows
 */
export function planRoll(
  nodes: readonly RollNode[],
  proxies: readonly RollProxy[],
  silent: readonly string[],
): RollPlan {
  if (silent.length > 0) {
    return refuse(
      `${silent.join(", ")} cannot be asked where writes go`,
      "bring that proxy back, or leave it out with --limit",
    );
  }
  const away = nodes.filter(({ serving }) => !serving);
  if (away.length > 1) {
    return refuse(
      `${away.map(({ name }) => name).join(", ")} do not serve`,
      "kb play galera.ts starts them, or says why not",
    );
  }
  const [blind] = proxies.filter(({ writers }) => writers.length !== 1);
  if (blind !== undefined) {
    const found = blind.writers.length === 0 ? "no node" : blind.writers.join(" and ");
    return refuse(
      `${blind.name} has ${found} to write to, where it should be one`,
      "wait a moment; kb play verify.ts tells more",
    );
  }
  const addresses = [...new Set(proxies.flatMap(({ writers }) => writers))];
  if (addresses.length > 1) {
    return refuse(
      `the proxies write to different nodes: ${addresses.join(", ")}`,
      "wait a moment; kb play verify.ts tells more",
    );
  }
  const [address] = addresses;
  const writer = address === undefined ? nodes[0] : nodes.find((node) => node.address === address);
  if (writer === undefined) return refuse(`the proxies write to ${address}, which is no node`, "kb play proxysql.ts");
  const due = nodes.filter(({ due: reasons, serving }) => reasons.length > 0 || !serving);
  if (due.length === 0) return { kind: "nothing", why: "no node needs it" };
  const rank = (node: RollNode): number => (node.serving ? (node === writer ? 2 : 1) : 0);
  const order = due.toReversed().sort((left, right) => rank(left) - rank(right));
  return {
    kind: "roll",
    order: order.map(({ name }) => name),
    writer: writer.name,
    why: `one node after the other; ${writer.name} takes the writes, and comes last`,
  };
}

function refuse(why: string, hint: string): RollPlan {
  return { kind: "refuse", why, hint: `${hint}; nothing was touched` };
}
