import {
  defineModule,
  type ExecAction,
  exec,
  mapProbe,
  type Probe,
  type Sh,
  sh,
  shLines,
  Unmet,
} from "@keybuzz/runner";
import * as z from "zod";
import { refuseLockOut } from "../firewall/ssh-guard.ts";
import { readUfwRule, type UfwRuleRecord } from "../probes/ufw.ts";
import { isAddress, type RuleMatch, renderTuples } from "./tuple.ts";

const address = z
  .string()
  .refine((text) => text === "any" || isAddress(text), "must be `any`, an address or a network, as 10.0.0.0/24")
  .default("any");
const ports = z
  .union([z.int(), z.string()])
  .transform(String)
  .refine(
    (text) => /^[1-9]\d*(:[1-9]\d*)?(,[1-9]\d*(:[1-9]\d*)?)*$/.test(text),
    "must be a port, a range as 6000:6007, or a list as 80,443",
  );
const device = z.string().regex(/^[A-Za-z0-9_.:@+-]{1,15}$/, "must be the name of a network interface");

const params = z
  .strictObject({
    rule: z
      .enum(["allow", "deny", "limit", "reject"])
      .describe("What happens to what the rule matches; limit: at most 6 connections in 30 s from one address"),
    proto: z
      .enum(["any", "tcp", "udp", "ah", "esp", "gre", "igmp", "ipv6", "vrrp"])
      .default("any")
      .describe("Protocol"),
    from: address.describe("Source: `any`, an address or a network"),
    from_port: ports.optional().describe("Source port or ports; any unless given"),
    to: address.describe("Destination: `any`, an address or a network"),
    to_port: ports.optional().describe("Destination port or ports, as 3306, 6000:6007 or 80,443; any unless given"),
    direction: z.enum(["in", "out"]).default("in").describe("For connections to the host, or from it"),
    interface: device
      .optional()
      .describe("Interface that it comes by (with `direction: out`: leaves by); any unless given"),
    interface_out: device.optional().describe("With `route`: interface that it leaves by"),
    route: z.boolean().default(false).describe("For what the host forwards, in place of its own connections"),
    comment: z
      .string()
      .regex(/^[^'\n\r\0]*$/, "must be one line without an apostrophe")
      .default("")
      .describe("Remark kept with the rule"),
    prepend: z
      .boolean()
      .default(false)
      .describe(
        "Put a new rule first, since the first that matches decides. The place of a rule that is there is not compared",
      ),
    delete: z.boolean().default(false).describe("The rule must not be there, whatever it does to what it matches"),
  })
  .refine(
    ({ proto, to_port, from_port }) => proto === "tcp" || proto === "udp" || !`${to_port}${from_port}`.match(/[,:]/),
    {
      path: ["to_port"],
      message: "a list or range of ports needs proto tcp or udp",
    },
  )
  .refine(({ route, interface_out }) => route || interface_out === undefined, {
    path: ["interface_out"],
    message: "needs route; `interface` with direction out is what a host's own connections leave by",
  });

type Given = z.output<typeof params>;

type RuleState = {
  /** What happens to it, `absent`, or `off` where ufw keeps no rules for IPv6; left out where it does not apply. */
  readonly v4?: string;
  readonly v6?: string;
  readonly comment: string;
};

/**
 * One rule of the host's firewall, for IPv4 and IPv6 alike unless an address says which. Rules are told apart by what
 * they match: another `rule` or `comment` for the same match takes the old one's place. Works whether or not the
 * firewall is switched on.
 *
 * @see https://manpages.debian.org/trixie/ufw/ufw.8.en.html
 */
export const ufwRule = defineModule({
  name: "ufw_rule",
  summary: "Keep one rule of the firewall",
  params,
  id: describe,
  probe: (given): Probe<RuleState | Unmet> => {
    const tuples = renderTuples(matchOf(given));
    return mapProbe(readUfwRule(tuples), (found) => {
      if (found instanceof Unmet) return found;
      return {
        ...(tuples.v4 === "" ? {} : { v4: found.v4?.action ?? "absent" }),
        ...(tuples.v6 === "" ? {} : { v6: found.ipv6 ? (found.v6?.action ?? "absent") : "off" }),
        comment: commentOf(found.v4) || commentOf(found.v6),
      };
    });
  },
  desired(given, current): RuleState {
    const tuples = renderTuples(matchOf(given));
    const action = given.delete ? "absent" : given.rule;
    return {
      ...(tuples.v4 === "" ? {} : { v4: action }),
      ...(tuples.v6 === "" ? {} : { v6: current?.v6 === "off" ? "off" : action }),
      comment: given.delete ? "" : given.comment,
    };
  },
  plan({ params: given, current }) {
    const words = matchWords(given);
    const guard = mayShutOut(given) ? [exec(guardOf(given))] : [];
    if (!given.delete) {
      // A rule that is there stays where it is: ufw would leave all of it as it is when told to put it first.
      const first = given.prepend && ![current?.v4, current?.v6].some(isRule);
      const prefix = [...(given.route ? ["route"] : []), ...(first ? ["prepend"] : [])];
      const comment = given.comment === "" && current?.comment === "" ? [] : ["comment", given.comment];
      return withFirst(guard, exec(sh`ufw ${[...prefix, given.rule, ...words, ...comment]}`));
    }
    // ufw deletes a rule only where its action is named too, and logging is part of what it names.
    const actions = [...new Set([current?.v4, current?.v6])].filter(isRule);
    return withFirst(guard, exec(shLines(actions.map((action) => removal(given, action, words)))));
  },
  touches: (given) => [`ufw_rule:${matchWords(given).join(" ")}`, "ufw"],
});

/** Whether a rule could stand in the way of ssh: one that lets nothing in that was let in before. */
function mayShutOut({ delete: gone, rule, route, direction }: Given): boolean {
  return !route && direction === "in" && (gone || rule === "deny" || rule === "reject");
}

function guardOf(given: Given): Sh {
  const action = given.delete ? "absent" : given.rule;
  return refuseLockOut({ rule: { action, tuples: renderTuples(matchOf(given)), first: given.prepend } });
}

function withFirst(before: readonly ExecAction[], last: ExecAction): readonly [ExecAction, ...ExecAction[]] {
  const [first = last, ...rest] = [...before, last];
  return [first, ...rest];
}

function isRule(action: string | undefined): action is string {
  return action !== undefined && action !== "absent" && action !== "off";
}

function removal(given: Given, action: string, words: readonly string[]): Sh {
  const [verb = "", log] = action.split("_");
  // The word stands between the interfaces and the rest.
  const at = words.findIndex((word) => word === "proto" || word === "from");
  const named = log === undefined ? words : words.toSpliced(at, 0, log);
  return sh`ufw --force ${[...(given.route ? ["route"] : []), "delete", verb, ...named]} || exit`;
}

function commentOf(record: UfwRuleRecord | null): string {
  return record?.comment ?? "";
}

/** The rule in ufw's full syntax, from the direction on. */
function matchWords(given: Given): readonly string[] {
  const device = given.interface === undefined ? [] : ["on", given.interface];
  const out = given.interface_out === undefined ? [] : ["out", "on", given.interface_out];
  const way = given.route && given.interface === undefined ? out : [given.direction, ...device, ...out];
  const side = (word: string, where: string, port: string | undefined): readonly string[] => [
    ...[word, where],
    ...(port === undefined ? [] : ["port", port]),
  ];
  return [
    ...way,
    ...(given.proto === "any" ? [] : ["proto", given.proto]),
    ...side("from", given.from, given.from_port),
    ...side("to", given.to, given.to_port),
  ];
}

function matchOf(given: Given): RuleMatch {
  const { proto, from, from_port, to, to_port, direction, interface: on, interface_out, route } = given;
  return { proto, from, from_port, to, to_port, direction, interface: on, interface_out, route };
}

function describe(given: Given): string {
  return `${given.route ? "route " : ""}${given.rule} ${matchWords(given).join(" ")}`;
}
