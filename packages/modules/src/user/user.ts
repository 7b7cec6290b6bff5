import { defineModule, known, type ModuleSpec, mapProbe, type Probe, probeAll, secretParam } from "@keybuzz/runner";
import * as z from "zod";
import { absolutePath, accountName, newAccountName } from "../params/params.ts";
import { removedUser } from "../params/resources.ts";
import { account, groupNumber, supplementaryGroups } from "../probes/accounts.ts";
import { passwordIsSet } from "./password.ts";
import { planUser } from "./plan.ts";

/** passwd(5) parts its fields by colons and its entries by lines. */
function fieldPath() {
  return absolutePath().refine((path) => /^[^:\p{Cc}]*$/u.test(path), "must not hold a colon or a control character");
}

const params = z.strictObject({
  name: newAccountName().describe("The user's name."),
  uid: z.int().min(0).max(4294967294).optional().describe("Its number; chosen by the host unless given."),
  group: accountName().optional().describe("Name or number of its primary group; one of its own name unless given."),
  groups: z.array(accountName()).optional().describe("Names of its other groups; as they are unless given."),
  append: z.boolean().default(false).describe("True: leave it in the groups that `groups` does not name."),
  shell: fieldPath().optional().describe("Its login shell; the host's default for a new user unless given."),
  home: fieldPath().optional().describe("Its home directory. The content of another one is not moved."),
  create_home: z
    .boolean()
    .default(true)
    .describe("Whether the home directory has to exist; it is made from /etc/skel."),
  comment: z
    .string()
    .regex(/^[^:\p{Cc}]*$/u, "must be one line without a colon")
    .optional()
    .describe("Its full name or purpose (GECOS)."),
  system: z.boolean().default(false).describe("Take the number of a new user from the range of system accounts."),
  password: secretParam()
    // chpasswd(8) takes a line for each user: a second line would be another user's password.
    .refine((hash) => /^[$!*][^:\s\0]*$/.test(hash.reveal()), "must be a hash, like $y$..., or ! or * for none")
    .optional()
    .describe("The hash of its password as in shadow(5), never the password itself; as it is unless given."),
  state: z
    .enum(["present", "absent"])
    .default("present")
    .describe("Whether the user should exist. Its home is never removed."),
});

export type UserParams = z.output<typeof params>;

/** Fields that the params leave open are missing, so far as the user does not exist. */
export type UserState = {
  readonly uid?: number;
  /** As the params write it where it is the one wanted; its number otherwise. */
  readonly group?: string;
  readonly groups?: readonly string[];
  readonly shell?: string;
  readonly home?: string;
  readonly homeExists?: boolean;
  readonly comment?: string;
  /** Only whether the hash is the one given: it does not leave the host. */
  readonly password?: "as given" | "another";
};

function probe(given: UserParams): Probe<UserState | null> {
  const { name, group, groups, password } = given;
  const asked = probeAll({
    found: account(name),
    gid: group === undefined || /^\d+$/.test(group) ? known(group) : groupNumber(group),
    groups: groups === undefined ? known(undefined) : supplementaryGroups(name),
    password: password === undefined ? known(undefined) : passwordIsSet(name, password),
  });
  return mapProbe(asked, (answer): UserState | null => {
    if (answer.found === null) return null;
    const { uid, gid, shell, home, comment, homeExists } = answer.found;
    return {
      uid,
      group: group !== undefined && String(answer.gid) === String(gid) ? group : String(gid),
      ...(answer.groups === undefined ? {} : { groups: answer.groups }),
      shell,
      home,
      ...(given.create_home ? { homeExists } : {}),
      comment,
      ...(answer.password === undefined ? {} : { password: answer.password ? "as given" : "another" }),
    };
  });
}

function desired(given: UserParams, current: UserState | null): UserState | null {
  if (given.state === "absent") return null;
  const { uid, group, shell, home, comment, groups, append } = given;
  return {
    ...current,
    ...(uid === undefined ? {} : { uid }),
    ...(group === undefined ? {} : { group }),
    ...(shell === undefined ? {} : { shell }),
    ...(home === undefined ? {} : { home }),
    ...(comment === undefined ? {} : { comment }),
    ...(given.create_home ? { homeExists: true } : {}),
    ...(groups === undefined
      ? {}
      : { groups: [...new Set([...groups, ...(append ? (current?.groups ?? []) : [])])].sort() }),
    ...(given.password === undefined ? {} : { password: "as given" }),
  };
}

const spec: ModuleSpec<typeof params, UserState> = {
  name: "user",
  summary: "Keep a local user: number, groups, shell, home directory, password hash",
  params,
  id: ({ name }) => name,
  probe,
  desired,
  plan: planUser,
  touches: ({ name, state }) => [`user:${name}`, ...(state === "absent" ? [removedUser(name)] : [])],
};

/**
 * A local user.
 *
 * ```ts
 * user({ name: "backup-agent", system: true, shell: "/usr/sbin/nologin", home: "/var/lib/backup-agent" })
 * ```
 * @see https://manpages.debian.org/useradd.8
 */
export const user = defineModule(spec);
