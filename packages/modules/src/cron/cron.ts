import { type Action, defineModule, exec, type ModuleSpec, mapProbe, sh, Unmet } from "@keybuzz/runner";
import * as z from "zod";
import { newAccountName, oneLine } from "../params/params.ts";
import { crontab, crontabLeft } from "../probes/crontabs.ts";
import { setCronEntry } from "../text/cron-edit.ts";

const params = z
  .strictObject({
    name: oneLine()
      .refine((name) => name.trim() !== "", "must not be empty")
      .describe("What the entry is known by: it stands in a comment line before it."),
    job: oneLine().optional().describe("The command. `%` means a newline to cron(8), unless a backslash is before it."),
    minute: cronField().describe("Minutes: 0-59, lists, ranges, steps. `*` unless given."),
    hour: cronField().describe("Hours: 0-23."),
    day: cronField().describe("Days of the month: 1-31."),
    month: cronField().describe("Months: 1-12, or jan to dec."),
    weekday: cronField().describe("Days of the week: 0-7, or sun to sat; 0 and 7 are Sunday."),
    special_time: z
      .enum(["reboot", "hourly", "daily", "weekly", "monthly", "yearly"])
      .optional()
      .describe("A word in place of the five fields."),
    user: newAccountName().default("root").describe("Whose crontab the entry is in, and who runs it."),
    state: z.enum(["present", "absent"]).default("present").describe("Whether the entry should be there."),
  })
  .refine(({ state, job }) => state === "absent" || (job ?? "") !== "", "job is needed")
  .refine(
    ({ special_time, minute, hour, day, month, weekday }) =>
      special_time === undefined || [minute, hour, day, month, weekday].every((field) => field === "*"),
    "special_time excludes the five fields",
  );

/** One time field of crontab(5). */
function cronField() {
  return z
    .union([z.string(), z.int()])
    .default("*")
    .transform(String)
    .refine((field) => /^[\dA-Za-z*/,~-]+$/.test(field), "must be a field of crontab(5)");
}

type Params = z.output<typeof params>;

/** The whole crontab: crontab(1) takes nothing less. */
type CronState = { readonly crontab: string };

function renderJob({ job = "", special_time, minute, hour, day, month, weekday }: Params): string {
  const when = special_time === undefined ? [minute, hour, day, month, weekday].join(" ") : `@${special_time}`;
  return `${when} ${job}`;
}

const spec: ModuleSpec<typeof params, CronState> = {
  name: "cron",
  summary: "Keep one named entry of a user's crontab",
  params,
  id: ({ name, user }) => (user === "root" ? name : `${name} of ${user}`),
  probe: ({ user, state }) =>
    mapProbe(crontab(user), (text) => {
      // Where there is no such user, or no cron, there is no entry either.
      if (text instanceof Unmet) return state === "absent" ? null : text;
      return text === null ? null : { crontab: text };
    }),
  desired(given, current) {
    const wanted = setCronEntry(current?.crontab ?? "", given.name, given.state === "absent" ? null : renderJob(given));
    return current === null && wanted === "" ? null : { crontab: wanted };
  },
  plan({ params: { user }, wanted }): readonly [Action, ...Action[]] {
    return [exec(sh`crontab -u ${user} -`, { stdin: wanted?.crontab ?? "" })];
  },
  leaves: ({ params: { user }, wanted }) => [crontabLeft(user, wanted?.crontab ?? "")],
};

/**
 * One named entry of a user's crontab. Entries, comments and variables of others keep every byte. The name stands in an
 * `#Ansible:` comment, so that Ansible's module of the same name knows the entry too.
 *
 * ```ts
 * cron({ name: "verify backups", minute: 15, hour: 3, job: "/usr/local/sbin/verify-backups" })
 * ```
 * @see https://manpages.debian.org/crontab.5
 */
export const cron = defineModule(spec);
