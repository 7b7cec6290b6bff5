import { usedVars } from "../bind.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { Playbook } from "../playbook.ts";
import { Secret } from "../secret.ts";
import { type ResolveSecret, resolveSecrets, secretResolver } from "./resolve.ts";

/** What of a run's options bears on its secrets. */
interface RunOptions {
  readonly inventory: Inventory;
  readonly directory?: string;
  readonly resolveSecret?: ResolveSecret;
  /** Where either is there, no host is asked anything, and no secret is either. */
  readonly rehearsal?: unknown;
  readonly listing?: unknown;
}

/**
 * A run's options, the secrets that the run uses read and put in place of the references to them.
 * @throws SecretsError for references that lead nowhere, before any connection is made
 */
export async function withSecrets<O extends RunOptions>(playbook: Playbook, options: O): Promise<O> {
  const { inventory, directory, rehearsal, listing, resolveSecret } = options;
  const isWithoutHosts = rehearsal !== undefined || listing !== undefined;
  const resolve = isWithoutHosts
    ? async () => new Secret("a secret, which nobody asked for")
    : (resolveSecret ?? secretResolver(directory === undefined ? {} : { directory }));
  return { ...options, inventory: await resolveSecrets(inventory, usedVars(playbook, inventory), resolve) };
}
