import { safeLine } from "../../reporters/safe-text.ts";
import { printLines } from "../print.ts";
import { shownPath } from "../shown-path.ts";
import type { Created } from "./secrets.ts";

/** Tells what making a sealed file did. */
export function printCreated({ path, madeKey }: Created): void {
  printLines((paint) => [
    ...(madeKey === undefined
      ? []
      : [paint("change", `made the key ${safeLine(shownPath(madeKey))}: keep a copy of it elsewhere`)]),
    path === undefined
      ? paint("dim", "nothing was typed, so nothing is made")
      : `${safeLine(shownPath(path))} is sealed`,
  ]);
}
