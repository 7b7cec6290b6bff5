import { type Action, defineModule, exec, mapProbe, type Probe, type Sh, sh, shLines, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { refuseLockOut } from "../firewall/ssh-guard.ts";
import { type UfwStatus, ufwStatus } from "../probes/ufw.ts";

const policy = z.enum(["allow", "deny", "reject"]);

const params = z.strictObject({
  state: z
    .enum(["enabled", "disabled"])
    .optional()
    .describe("Whether the firewall is in force, now and at boot; left as it is unless given"),
  default: z
    .strictObject({
      incoming: policy.optional().describe("For connections to the host"),
      outgoing: policy.optional().describe("For connections from the host"),
      routed: policy.optional().describe("For what the host forwards"),
    })
    .default({})
    .describe("What happens to what no rule matches; left as it is unless given"),
  logging: z
    .enum(["off", "low", "medium", "high", "full"])
    .optional()
    .describe("What is logged; left as it is unless given"),
});

type UfwState = {
  readonly state: string;
  readonly default: { readonly incoming: string; readonly outgoing: string; readonly routed: string };
  readonly logging: string;
};

const BARE: UfwState = {
  state: "disabled",
  default: { incoming: "deny", outgoing: "allow", routed: "deny" },
  logging: "low",
};

/**
 * The host's firewall as a whole: on or off, its default policies, its log level. Rules are `ufw_rule`'s part; list them
 * before this task, since it refuses to shut out the very connection that it comes by.
 *
 * @see https://manpages.debian.org/trixie/ufw/ufw.8.en.html
 */
export const ufw = defineModule({
  name: "ufw",
  summary: "Switch the firewall on or off and set its default policies",
  params,
  id: () => "firewall",
  probe: (): Probe<UfwState | Unmet> =>
    mapProbe(ufwStatus(), (found) => (found instanceof Unmet ? found : readStatus(found))),
  desired(given, current): UfwState {
    const now = current ?? BARE;
    return {
      state: given.state ?? now.state,
      default: {
        incoming: given.default.incoming ?? now.default.incoming,
        outgoing: given.default.outgoing ?? now.default.outgoing,
        routed: given.default.routed ?? now.default.routed,
      },
      logging: given.logging ?? now.logging,
    };
  },
  plan({ current, wanted }) {
    const [now, goal] = [current ?? BARE, wanted ?? BARE];
    const actions: Action[] = [];
    const tightened = now.state !== "enabled" || now.default.incoming !== goal.default.incoming;
    if (goal.state === "enabled" && tightened) actions.push(exec(refuseLockOut({ incoming: goal.default.incoming })));
    for (const way of ["incoming", "outgoing", "routed"] as const) {
      if (now.default[way] !== goal.default[way]) actions.push(exec(sh`ufw default ${goal.default[way]} ${way}`));
    }
    if (now.logging !== goal.logging) actions.push(exec(sh`ufw logging ${goal.logging}`));
    if (now.state !== goal.state) actions.push(exec(goal.state === "enabled" ? switchOn(now.state) : sh`ufw disable`));
    const [first = exec(sh`ufw reload`), ...rest] = actions;
    return [first, ...rest];
  },
  touches: () => ["ufw"],
});

function readStatus(found: UfwStatus): UfwState {
  const { enabled, live, incoming, outgoing, routed, logging } = found;
  const state = enabled
    ? live
      ? "enabled"
      : "enabled, but not in force"
    : live
      ? "in force, but not at boot"
      : "disabled";
  return { state, default: { incoming, outgoing, routed }, logging };
}

function switchOn(now: string): Sh {
  // What is enabled already, and was flushed, is not loaded again by `enable`.
  return shLines([JUMPS, now === "enabled, but not in force" ? sh`ufw reload` : sh`ufw --force enable`]);
}

/**
 * ufw adds the jumps from the kernel's chains to its own only where its own do not exist: after an `iptables -F` neither
 * `ufw enable` nor `ufw reload` brings them back. Nothing else in those chains, such as Docker's rules, is touched.
 */
const JUMPS = sh`for kb_kind in iptables:ufw ip6tables:ufw6; do
  kb_tables=\${kb_kind%%:*} kb_prefix=\${kb_kind#*:}
  "$kb_tables" -w 5 -S "$kb_prefix-before-input" >/dev/null 2>&1 || continue
  for kb_way in input output forward; do
    kb_chain=$(echo "$kb_way" | tr a-z A-Z)
    for kb_part in before-logging before after after-logging reject track; do
      "$kb_tables" -w 5 -C "$kb_chain" -j "$kb_prefix-$kb_part-$kb_way" 2>/dev/null ||
        "$kb_tables" -w 5 -A "$kb_chain" -j "$kb_prefix-$kb_part-$kb_way" || exit 1
    done
  done
done`;
