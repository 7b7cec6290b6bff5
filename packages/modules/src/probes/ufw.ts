import { ask, askBatch, type Batch, type Probe, sh, type Unmet, unmet } from "@keybuzz/runner";
import { takeLines } from "./lines.ts";

/** The firewall as a whole, in ufw's own words for its policies: `allow`, `deny`, `reject`. */
export interface UfwStatus {
  /** Whether it is switched on, for now and for every boot. */
  readonly enabled: boolean;
  /** Whether its chains are in the kernel, reached from INPUT, with the policy that its settings say. */
  readonly live: boolean;
  readonly incoming: string;
  readonly outgoing: string;
  readonly routed: string;
  readonly logging: string;
}

/** One rule's record for one family. */
export interface UfwRuleRecord {
  /** `allow`, `deny`, `reject`, `limit`, each possibly followed by `_log` or `_log-all`. */
  readonly action: string;
  readonly comment: string;
}

/** Where a rule stands: per family its record, `null` where there is none. */
export interface UfwRuleReading {
  readonly v4: UfwRuleRecord | null;
  readonly v6: UfwRuleRecord | null;
  /** Whether ufw keeps rules for IPv6 at all (`IPV6=yes` in /etc/default/ufw). */
  readonly ipv6: boolean;
}

const NO_UFW = (): Unmet => unmet("ufw is not installed", 'add apt({ name: "ufw" }) before it');

/**
 * ufw is a Python program that takes 100 ms to say what its files say: so its files are read, and the kernel is asked
 * whether they are in force.
 */
const STATUS = sh`if ! command -v ufw >/dev/null; then echo missing; exit 0; fi
sed -n -e '/^ENABLED=/p' -e '/^LOGLEVEL=/p' /etc/ufw/ufw.conf || exit 1
sed -n -e '/^DEFAULT_\(INPUT\|OUTPUT\|FORWARD\)_POLICY=/p' /etc/default/ufw || exit 1
kb_input=$(iptables -w 5 -S INPUT) || exit 1
printf '%s\n' "$kb_input" | sed -n -e '/^-P /p' -e '/^-A INPUT -j ufw-before-input$/p'
kb_said=$(iptables -w 5 -C ufw-before-input -j ufw-user-input 2>&1)
case $? in
  0) echo loaded ;;
  1|2) ;; # no such rule, no such chain
  *) printf '%s\n' "$kb_said" >&2; exit 1 ;;
esac`;

/** The firewall's switch, policies and log level, from its files, and whether the kernel has them. */
export function ufwStatus(): Probe<UfwStatus | Unmet> {
  return ask(STATUS, ({ stdout, stderr, exitCode }) => {
    if (exitCode !== 0) throw new Error(`the firewall could not be read: ${stderr.trim()}`);
    if (stdout.trim() === "missing") return NO_UFW();
    const lines = stdout.trim().split("\n");
    const setting = (name: string): string => {
      const line = lines.find((text) => text.startsWith(`${name}=`));
      if (line === undefined) throw new Error(`ufw's settings lack ${name}: is its package installed whole?`);
      return line
        .slice(name.length + 1)
        .replaceAll('"', "")
        .trim();
    };
    const input = setting("DEFAULT_INPUT_POLICY");
    const policy = input === "ACCEPT" ? "ACCEPT" : "DROP";
    const inForce = [`-P INPUT ${policy}`, "-A INPUT -j ufw-before-input", "loaded"];
    return {
      enabled: setting("ENABLED") === "yes",
      live: inForce.every((line) => lines.includes(line)),
      incoming: policyWord(input),
      outgoing: policyWord(setting("DEFAULT_OUTPUT_POLICY")),
      routed: policyWord(setting("DEFAULT_FORWARD_POLICY")),
      logging: setting("LOGLEVEL"),
    };
  });
}

function policyWord(target: string): string {
  return { ACCEPT: "allow", DROP: "deny", REJECT: "reject" }[target] ?? target;
}

/**
 * ufw's own record of a rule in /etc/ufw/user.rules is a comment of nine words, or ten with a remark:
 * `### tuple ### [route:]ACTION PROTO DPORT DESTINATION SPORT SOURCE DIRECTION [comment=HEX]`. Rules made from
 * application profiles have two words more, and are left alone.
 */
const FIND = `
BEGIN {
  for (i = 1; i < ARGC; i++) { asked[i] = ARGV[i]; ARGV[i] = "" }
  count = ARGC - 1; ARGC = 1
  ipv6 = "no"
  while ((got = getline line < "/etc/default/ufw") > 0) if (tolower(line) ~ /^ipv6="?yes/) ipv6 = "yes"
  if (got < 0) give_up("/etc/default/ufw")
  read("/etc/ufw/user.rules"); read("/etc/ufw/user6.rules")
  for (i = 1; i <= count; i++) {
    split(asked[i], family, ";")
    print ipv6 "\\t" shown(family[1]) "\\t" shown(family[2])
  }
}
function read(path) {
  while ((got = getline line < path) > 0) {
    if (line !~ /^### tuple ### /) continue
    words = split(line, w, " "); hex = ""
    if (w[words] ~ /^comment=/) { hex = substr(w[words], 9); words-- }
    if (words != 10) continue
    kind = ""; action = w[4]
    if (sub(/^route:/, "", action)) kind = "route "
    found[kind w[5] " " w[6] " " w[7] " " w[8] " " w[9] " " w[10]] = action " " hex
  }
  if (got < 0) give_up(path)
}
function give_up(path) { print path " cannot be read" >"/dev/stderr"; exit 1 }
function shown(tuple) { return tuple in found ? found[tuple] : "-" }`;

const RULES: Batch = {
  name: "ufw-rules",
  render: (keys) => ({
    script: sh`if ! command -v ufw >/dev/null; then for kb_key in ${keys}; do echo missing; done; exit 0; fi
awk ${FIND} ${keys}`,
  }),
  split: (stdout, keys) => takeLines(stdout, keys.length),
};

/**
 * Where a rule stands, by what it matches, as ufw writes it down: `tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`, with `route `
 * before it for a forwarding rule. An empty text for a family to which the rule does not apply.
 * @see https://manpages.debian.org/trixie/ufw/ufw.8.en.html
 */
export function readUfwRule(tuples: { readonly v4: string; readonly v6: string }): Probe<UfwRuleReading | Unmet> {
  return askBatch(RULES, `${tuples.v4};${tuples.v6}`, ({ stdout, stderr, exitCode }) => {
    if (stdout === "missing\n") return NO_UFW();
    const [ipv6 = "", v4, v6] = stdout.trimEnd().split("\t");
    if (exitCode !== 0 || v4 === undefined || v6 === undefined) {
      throw new Error(`ufw's rules could not be read: ${stderr.trim() || JSON.stringify(stdout)}`);
    }
    return { v4: parseRecord(v4), v6: parseRecord(v6), ipv6: ipv6 === "yes" };
  });
}

function parseRecord(text: string): UfwRuleRecord | null {
  if (text === "-") return null;
  const [action = "", hex = ""] = text.split(" ");
  return { action, comment: Buffer.from(hex, "hex").toString("utf8") };
}
