import { type AskSecret, type Inventory, type ResolveSecret, secretResolver } from "@keybuzz/runner";
import { askSecret } from "./ask-secret.ts";
import { readVaultedHere } from "./vault-passwords.ts";

const resolvers = new WeakMap<Inventory, ResolveSecret>();

/**
 * What gives the secrets that an inventory names. A command that plays twice, as one that checks a plan before it
 * applies it, reads each secret once: credentials that Vault makes anew for each reader stay the same.
 * @param suspend clears the terminal for a question
 */
export async function resolverFor(
  inventory: Inventory,
  directory: string,
  suspend: () => () => void,
  note: (text: string) => void,
): Promise<ResolveSecret> {
  const known = resolvers.get(inventory);
  if (known !== undefined) return known;
  const ask: AskSecret = async (question) => {
    const resume = suspend();
    try {
      return await askSecret(question);
    } finally {
      resume();
    }
  };
  const resolver = secretResolver({ directory, ask, note, readVaulted: await readVaultedHere(directory) });
  resolvers.set(inventory, resolver);
  return resolver;
}
