import { refusedVars } from "./bind.ts";
import { ConnectError } from "./errors.ts";
import type { Playbook } from "./playbook.ts";
import { Rehearsal, type RehearsalReport, UnansweredError } from "./rehearsal.ts";
import { type PlayOptions, play } from "./run.ts";
import { withSecrets } from "./secrets/for-run.ts";

/** What a rehearsal is made with: what a run is, as far as it needs no host. */
export type RehearseOptions = Pick<PlayOptions, "inventory" | "params" | "limit" | "directory">;

/**
 * Runs a playbook without any host, to see what it declares: groups, vars, params and templates, for every host. A role
 * is left where it asks a host something, and the playbook goes on behind it.
 *
 * The playbook's own code does run: what it does itself on the controller, like reading files, is done.
 * Wrong vars are told all at once, and then the playbook is not gone through.
 * @throws UsageError for a group that the inventory lacks, and for params that do not fit the playbook
 */
export async function rehearse(playbook: Playbook, options: RehearseOptions): Promise<RehearsalReport> {
  const rehearsal = new Rehearsal();
  const { inventory } = await withSecrets(playbook, { ...options, rehearsal });
  for (const error of refusedVars(playbook, inventory)) rehearsal.fault(undefined, error);
  if (rehearsal.report.faults.length > 0) return rehearsal.report;
  const { error } = await play(playbook, {
    ...options,
    mode: "check",
    rehearsal,
    emit: () => {},
    connect: async ({ name }) => {
      throw new ConnectError("a rehearsal connects to no host", { host: name });
    },
  });
  if (error instanceof UnansweredError) rehearsal.leave(undefined, error);
  else if (error !== undefined) rehearsal.fault(undefined, error);
  return rehearsal.report;
}
