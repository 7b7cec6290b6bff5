import { InventoryError } from "../errors.ts";
import { renderSource, type Sourced } from "./inventory.ts";

/**
 * Refuses a value that Ansible would evaluate as a Jinja template before it is used: its text is not what was meant, and
 * nothing here evaluates what an inventory says.
 * @throws InventoryError with file, line and column
 */
export function refuseTemplate(host: string, name: string, { templates: [place] = [] }: Sourced): void {
  if (place === undefined) return;
  throw new InventoryError(
    `${renderSource(place)}: ${host}: ${name} is a Jinja template, which is not evaluated here`,
    {
      hint: "write the value itself; where the braces are meant as they are: !unsafe 'the text' (YAML)",
    },
  );
}
