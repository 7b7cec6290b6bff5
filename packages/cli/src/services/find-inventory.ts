import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  type Inventory,
  InventoryError,
  isHostList,
  readInventory as readAnyInventory,
  type TsvMapping,
} from "@keybuzz/runner";
import { importFile } from "./find-playbook.ts";
import { shownPath } from "./shown-path.ts";
import { readVaultedHere } from "./vault-passwords.ts";

const FOLDER = "inventories";
const DEFAULT = "keybuzz.yml";

/**
 * The inventory to use: the one named (a file, a folder, or hosts with a comma between), else `inventories/keybuzz.yml`, else the only one in `inventories/`.
 * @throws InventoryError where there is none, or a choice
 */
export function findInventory(named: string | undefined, directory: string): string {
  if (named !== undefined) return isHostList(named) ? named : resolve(directory, named);
  const folder = resolve(directory, FOLDER);
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => /\.(ya?ml|tsv|ini|json)$/.test(file)) : [];
  const [only] = files;
  if (files.includes(DEFAULT)) return join(folder, DEFAULT);
  if (files.length === 1 && only !== undefined) return join(folder, only);
  throw new InventoryError(
    files.length === 0 ? `there is no inventory in ${folder}` : "there are several inventories",
    {
      detail: files.length === 0 ? undefined : files.map((file) => `${FOLDER}/${file}`).join("\n"),
      hint: "name one with -i FILE, or in the environment variable KB_INVENTORY",
    },
  );
}

/**
 * Reads an inventory of any kind, a `.tsv` file by the mapping beside it.
 * @throws InventoryError with file, line and column
 */
export async function readInventory(file: string, directory: string): Promise<Inventory> {
  return readAnyInventory(file, {
    tsvMapping: (list) => loadMapping(list, directory),
    readVaulted: await readVaultedHere(directory),
  });
}

/** `NAME-tsv.ts` for `NAME.tsv`, beside it or in `./inventories`; for any other name, what `servers-tsv.ts` says there. */
async function loadMapping(file: string, directory: string): Promise<TsvMapping> {
  const name = `${basename(file, ".tsv")}-tsv.ts`;
  const folder = resolve(directory, FOLDER);
  const places = [join(dirname(file), name), join(folder, name), join(folder, "servers-tsv.ts")];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) {
    throw new InventoryError(`nothing says what the columns of ${file} mean`, {
      detail: `looked for ${[...new Set(places)].join(", ")}`,
      hint: "export a TsvMapping there as `mapping`; inventories/servers-tsv.ts is one",
    });
  }
  const shown = shownPath(found);
  const { mapping } = await importFile(found, shown);
  if (!isMapping(mapping)) throw new InventoryError(`${shown} exports no TsvMapping as \`mapping\``);
  return mapping;
}

function isMapping(value: unknown): value is TsvMapping {
  return typeof value === "object" && value !== null && "columns" in value && "groups" in value && "vars" in value;
}
