import { command, mysqlVariables } from "@keybuzz/modules";
import { sh, type Task } from "@keybuzz/runner";
import { STATE } from "../../paths.ts";
import type { OptionPlan } from "./options.ts";

/** A restart that is asked for, with the reason; each start of the server removes it. */
export const RESTART = `${STATE}/restart`;

/** The option file as the server read it when it started, or as what changed since was set in it. */
export const APPLIED = `${STATE}/applied.cnf`;

/** Asks for a restart of the server; whoever restarts it next, it is done then. */
export function askRestart(why: string): Task {
  return command(
    {
      run: sh`printf '%s\n' ${why} >${`${RESTART}.new`} && mv -f ${`${RESTART}.new`} ${RESTART}`,
      unless: sh`[ -e ${RESTART} ]`,
      touches: [`file:${RESTART}`],
    },
    { name: `request for a restart (${why})` },
  );
}

/**
 * Brings changed options into a running server: set at once where it takes them so, or by a restart that is asked for.
 * @param optionFile the file that has them already
 */
export function applyOptions(
  { set, restart }: OptionPlan,
  optionFile: string,
  login: Parameters<typeof mysqlVariables>[0]["login"],
): readonly Task[] {
  if (restart.length > 0) return [askRestart(`options: ${restart.join(", ")}`)];
  const applied = command(
    {
      run: sh`install -m 0600 ${optionFile} ${`${APPLIED}.new`} && mv -f ${`${APPLIED}.new`} ${APPLIED}`,
      unless: sh`cmp -s ${optionFile} ${APPLIED}`,
    },
    { name: "note of the options in force" },
  );
  return [...(Object.keys(set).length === 0 ? [] : [mysqlVariables({ login, variables: { ...set } })]), applied];
}
