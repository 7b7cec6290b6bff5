import { type Sh, sh } from "@keybuzz/runner";

/**
 * Reads ufw's rules in their order, as the kernel would: the first that matches a new connection like ours decides.
 * ufw is written in Python, so Python is where ufw is. sudo hides SSH_CONNECTION from its children, not from root's
 * eyes: it is looked for in the parents.
 *
 * Arguments: incoming policy after the change (empty: as it is); what a rule is to do, `absent` or empty; the rule's
 * tuple for IPv4 and for IPv6; `first` or `last`.
 */
const GUARD = String.raw`
import ipaddress, os, re, subprocess, sys

policy, action, tuple_v4, tuple_v6, place = sys.argv[1:6]

def connection():
    pid = os.getpid()
    while pid > 1:
        with open(f"/proc/{pid}/environ", "rb") as file:
            for item in file.read().split(b"\0"):
                if item.startswith(b"SSH_CONNECTION="):
                    return item.decode().split("=", 1)[1].split()
        with open(f"/proc/{pid}/stat") as file:
            pid = int(file.read().rpartition(")")[2].split()[1])

def plain(address):
    found = ipaddress.ip_address(address.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found

def interface(address):
    said = subprocess.run(["ip", "-o", "addr", "show", "to", str(address)], capture_output=True, text=True, timeout=10)
    words = said.stdout.split()
    return words[1] if len(words) > 1 else ""

def setting(path, name):
    for line in open(path):
        if line.startswith(name + "="):
            return line.split("=", 1)[1].strip().strip('"')

def recorded(path):
    for line in open(path):
        if line.startswith("### tuple ### "):
            words = [word for word in line.split()[3:] if not word.startswith("comment=")]
            if not words[0].startswith("route:"):
                yield words[0], " ".join(words[1:])

def changed(rules, tuple):
    if not tuple or tuple.startswith("route "):
        return rules
    if action == "absent":
        return [rule for rule in rules if rule[1] != tuple]
    if any(rule[1] == tuple for rule in rules):
        return [(action, tuple) if rule[1] == tuple else rule for rule in rules]
    return [(action, tuple)] + rules if place == "first" else rules + [(action, tuple)]

def has_port(ports):
    for part in ports.split(","):
        low, _, high = part.partition(":")
        if part == "any" or int(low) <= port <= int(high or low):
            return True
    return False

def verdict(rules, otherwise):
    for does, tuple in rules:
        words = tuple.split()
        protocol, to_port, to, from_port, source = words[:5]
        direction, _, device = words[-1].partition("_")
        if direction != "in" or protocol not in ("any", "tcp") or from_port != "any" or not has_port(to_port):
            continue
        if device and not re.fullmatch(re.escape(device).replace(r"\+", ".*"), arrives_by):
            continue
        if client in ipaddress.ip_network(source, strict=False) and server in ipaddress.ip_network(to, strict=False):
            return does.split("_")[0] in ("allow", "limit")
    return otherwise

ssh = connection()
if ssh:
    client, server, port = plain(ssh[0]), plain(ssh[2]), int(ssh[3])
    arrives_by = interface(server)
    rules = list(recorded("/etc/ufw/user.rules" if client.version == 4 else "/etc/ufw/user6.rules"))
    is_open = setting("/etc/default/ufw", "DEFAULT_INPUT_POLICY") == "ACCEPT"
    enabled = setting("/etc/ufw/ufw.conf", "ENABLED") == "yes"
    if not policy and not enabled:
        sys.exit(0)
    before = not enabled or verdict(rules, is_open)
    after = verdict(changed(rules, tuple_v4 if client.version == 4 else tuple_v6), policy == "allow" if policy else is_open)
    if before and not after:
        print(f"refused: the firewall would shut out new ssh connections from {client} to port {port}, which is how this",
              "host was reached; nothing was changed", file=sys.stderr)
        print(f'try: ufw_rule({{ rule: "allow", proto: "tcp", from: "{client}", to_port: {port} }}) before it', file=sys.stderr)
        sys.exit(1)
`;

/** A change of the firewall that may shut ssh out. */
export interface FirewallChange {
  /** Incoming policy that will be in force after it. Without one, a firewall that is switched off shuts nobody out. */
  readonly incoming?: string;
  readonly rule?: {
    /** `deny`, `reject`, ..., or `absent`. */
    readonly action: string;
    readonly tuples: { readonly v4: string; readonly v6: string };
    readonly first: boolean;
  };
}

/**
 * Fails where a change would shut out new ssh connections from where this one comes, and they are let in now. Holds
 * where the host was not reached by ssh: then nobody can be shut out.
 */
export function refuseLockOut({ incoming = "", rule }: FirewallChange): Sh {
  const change = [rule?.action ?? "", rule?.tuples.v4 ?? "", rule?.tuples.v6 ?? "", rule?.first ? "first" : "last"];
  return sh`python3 -c ${GUARD} ${[incoming, ...change]}`;
}
