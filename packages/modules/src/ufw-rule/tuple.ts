/** What a rule matches, as a task names it. Addresses are `any`, an address, or a network. */
export interface RuleMatch {
  readonly proto: string;
  readonly from: string;
  readonly from_port: string | undefined;
  readonly to: string;
  readonly to_port: string | undefined;
  readonly direction: "in" | "out";
  readonly interface: string | undefined;
  /** For a rule about forwarded traffic: the interface that it leaves by. */
  readonly interface_out: string | undefined;
  readonly route: boolean;
}

/** A rule as ufw writes it down, for each family; an empty text where it does not apply to one. */
export function renderTuples(match: RuleMatch): { readonly v4: string; readonly v6: string } {
  const families = [familyOf(match.from), familyOf(match.to)];
  const render = (any: string): string => {
    const address = (text: string): string => (text === "any" ? any : normaliseAddress(text));
    const words = [
      match.proto,
      ports(match.to_port),
      address(match.to),
      ports(match.from_port),
      address(match.from),
      way(match),
    ];
    return `${match.route ? "route " : ""}${words.join(" ")}`;
  };
  return {
    v4: families.includes("v6") || match.proto === "ipv6" ? "" : render("0.0.0.0/0"),
    // ufw keeps these for IPv4 alone: Debian's ufw(8), "proto".
    v6: families.includes("v4") || match.proto === "igmp" ? "" : render("::/0"),
  };
}

/** `v4`, `v6`, or undefined for `any`. */
export function familyOf(address: string): "v4" | "v6" | undefined {
  if (address === "any") return undefined;
  return isIPv4(address.split("/")[0] ?? "") ? "v4" : "v6";
}

/** Whether a text is an address or a network that ufw writes in one way only: IPv6 with a dotted end is not. */
export function isAddress(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !/[%.]/.test(address) ? 128 : 0;
  if (bits === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

/** An address as ufw writes it: no prefix on a single host; host bits cleared for IPv4, IPv6 in its short form. */
export function normaliseAddress(text: string): string {
  const [address = "", prefix] = text.split("/");
  const v4 = isIPv4(address);
  const length = prefix === undefined || Number(prefix) === (v4 ? 32 : 128) ? undefined : Number(prefix);
  const shown = v4 ? maskV4(address, length ?? 32) : shortV6(address);
  return length === undefined ? shown : `${shown}/${length}`;
}

function maskV4(address: string, length: number): string {
  const kept = address.split(".").map((part, index) => {
    const bits = Math.min(8, Math.max(0, length - 8 * index));
    return Number(part) & (0xff00 >> bits);
  });
  return kept.join(".");
}

/** RFC 5952, as the platform's URL parser writes it: lower case, the longest run of zeros left out. */
function shortV6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** Ports as ufw sorts them: by number, ranges by their first. */
function ports(text: string | undefined): string {
  if (text === undefined) return "any";
  return text
    .split(",")
    .toSorted((one, other) => Number(one.split(":")[0]) - Number(other.split(":")[0]))
    .join(",");
}

function way({ direction, interface: device, interface_out: out, route }: RuleMatch): string {
  if (route && out !== undefined) return device === undefined ? `out_${out}` : `in_${device}!out_${out}`;
  return device === undefined ? direction : `${direction}_${device}`;
}

function isIPv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(text);
}

function isIPv6(text: string): boolean {
  return text.includes(":") && URL.canParse(`http://[${text}]`);
}
