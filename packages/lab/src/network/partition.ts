import { command } from "../command.ts";
import { switchNamespace } from "../names.ts";
import { type LinkEnd, portsOf } from "./ends.ts";
import { inNamespace } from "./namespaces.ts";

/**
 * Cut two ends off from each other, both ways, whatever addresses they use. The frames are dropped in the switch: the
 * hosts' own firewalls are not touched, and see nothing but silence.
 */
export async function partition(lab: string, one: LinkEnd, other: LinkEnd): Promise<void> {
  await lose(lab, one, other, 100);
}

/**
 * Lose `percent` (0 to 100) of the frames between two ends, each way; 100 is a partition.
 *
 * @see https://wiki.nftables.org/wiki-nftables/index.php/Bridge_filtering
 */
export async function lose(lab: string, one: LinkEnd, other: LinkEnd, percent: number): Promise<void> {
  await heal(lab, one, other);
  const chance = percent >= 100 ? "" : `numgen random mod 1000 < ${Math.round(percent * 10)} `;
  const drop = (from: LinkEnd, to: LinkEnd) =>
    `add rule bridge lab links iifname ${interfacesOf(lab, from)} oifname ${interfacesOf(lab, to)} ` +
    `${chance}drop comment "${commentOf(one, other)}"`;
  await nft(lab, [drop(one, other), drop(other, one)]);
}

/** Undo what {@link partition} and {@link lose} did between two ends, or all of it when no ends are named. */
export async function heal(lab: string, ...ends: readonly [] | readonly [LinkEnd, LinkEnd]): Promise<void> {
  await nft(lab, [
    "add table bridge lab",
    "add chain bridge lab links { type filter hook forward priority 0; policy accept; }",
  ]);
  const [one, other] = ends;
  if (one === undefined || other === undefined) return nft(lab, ["flush chain bridge lab links"]);
  const { stdout } = await command(
    inNamespace(switchNamespace(lab), ["nft", "--json", "list", "chain", "bridge", "lab", "links"]),
  );
  const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly NftObject[] };
  const rules = nftables.flatMap(({ rule }) => (rule?.comment === commentOf(one, other) ? [rule.handle] : []));
  await nft(
    lab,
    rules.map((handle) => `delete rule bridge lab links handle ${handle}`),
  );
}

interface NftObject {
  readonly rule?: { readonly handle: number; readonly comment?: string };
}

function commentOf(one: LinkEnd, other: LinkEnd): string {
  return [one, other].toSorted().join(" ");
}

/** An end's port, and the one that stands in for it while it is held at a distance. */
function interfacesOf(lab: string, end: LinkEnd): string {
  const { port, near } = portsOf(lab, end);
  return `{ "${port}", "${near}" }`;
}

async function nft(lab: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await command(inNamespace(switchNamespace(lab), ["nft", "-f", "-"]), { input: `${lines.join("\n")}\n` });
}
