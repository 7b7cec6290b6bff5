import { bindParams } from "../bind.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { Playbook } from "../playbook.ts";
import { Secret } from "../secret.ts";
import type { Digest } from "./digest.ts";

/** A digest of each host's groups and vars, by its name: what a run has of an inventory, however it is written. */
export function digestInventory(inventory: Inventory, digest: Digest): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...inventory.hosts].map(([name, { groups, vars }]) => {
      const values = Object.fromEntries([...vars].map(([key, { value }]) => [key, value]));
      return [name, digest({ groups, values })];
    }),
  );
}

/**
 * Names of the given params that are secrets in the playbook's schema.
 * @throws ParamsError for params that the playbook refuses
 */
export function secretParamsOf(playbook: Playbook, given: Readonly<Record<string, string>>): readonly string[] {
  const bound = bindParams(playbook, given);
  return Object.keys(given).filter((name) => holdsSecret(bound[name]));
}

function holdsSecret(value: unknown): boolean {
  if (value instanceof Secret) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsSecret);
}
