import { InventoryBuilder } from "../inventory/builder.ts";
import type { Inventory } from "../inventory/inventory.ts";

type Vars = Readonly<Record<string, unknown>>;

/** An inventory whose hosts are all this machine: real shells, for tests that need no host of their own. */
export function localInventory(names: readonly string[], vars: Vars | ((name: string) => Vars) = {}): Inventory {
  const source = { file: "test", line: 0, column: 0 };
  const builder = new InventoryBuilder("test");
  for (const name of names) {
    builder.host(name, source, "all");
    for (const [key, value] of Object.entries({
      ansible_connection: "local",
      ...(typeof vars === "function" ? vars(name) : vars),
    })) {
      builder.hostVar(name, key, { value, source });
    }
  }
  return builder.build();
}
