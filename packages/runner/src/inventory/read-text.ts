import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { InventoryError } from "../errors.ts";

/** The text of an inventory's file. @throws InventoryError where it cannot be read, or is no UTF-8 */
export async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    const isText = cause instanceof TypeError;
    throw new InventoryError(`cannot read the inventory ${file}`, {
      detail: isText ? "it is no text in UTF-8" : cause instanceof Error ? cause.message : String(cause),
      hint: isText ? "is it another kind of file?" : "name an inventory with -i FILE",
      cause,
    });
  }
}

/** A file's name as people know it: from the working directory. */
export function shown(file: string): string {
  return relative(process.cwd(), file) || file;
}

/** Whether a text is JSON as a whole, an object or a list. */
export function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
