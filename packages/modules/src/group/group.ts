import { type Action, defineModule, exec, type ModuleSpec, mapProbe, type Sh, sh } from "@keybuzz/runner";
import * as z from "zod";
import { newAccountName } from "../params/params.ts";
import { removedUser } from "../params/resources.ts";
import { groupNumber } from "../probes/accounts.ts";

const params = z.strictObject({
  name: newAccountName().describe("The group's name."),
  gid: z.int().min(0).max(4294967294).optional().describe("Its number; chosen by the host unless given."),
  system: z.boolean().default(false).describe("Take the number of a new group from the range of system accounts."),
  state: z.enum(["present", "absent"]).default("present").describe("Whether the group should exist."),
});

type GroupState = { readonly gid?: number };

const spec: ModuleSpec<typeof params, GroupState> = {
  name: "group",
  summary: "Keep a local group",
  params,
  id: ({ name }) => name,
  probe: ({ name }) => mapProbe(groupNumber(name), (gid) => (gid === null ? null : { gid })),
  desired({ gid, state }, current) {
    if (state === "absent") return null;
    return gid === undefined ? (current ?? {}) : { gid };
  },
  foresee: ({ name }, current, touched) => (touched.has(removedUser(name)) ? null : current),
  plan({ params: { name, gid, system }, current, wanted }): readonly [Action, ...Action[]] {
    if (wanted === null) return [exec(sh`groupdel -- ${name}`)];
    const number: Sh = gid === undefined ? sh`` : sh`-g ${gid} `;
    if (current !== null) return [exec(sh`groupmod ${number}-- ${name}`)];
    return [exec(sh`groupadd ${number}${system ? sh`-r ` : sh``}-- ${name}`)];
  },
};

/**
 * A local group.
 * @see https://manpages.debian.org/groupadd.8
 */
export const group = defineModule(spec);
