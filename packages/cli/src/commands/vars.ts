import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { inventoryFlag } from "./flags.ts";

/** `kb vars`: what a host ends up with, and why. */
export default class Vars extends Command {
  static override summary = "Show a host's vars, where each was written, and what it overrides";
  static override description = "Secrets are not read, and shown as <secret>. The levels are in docs/inventories.md.";
  static override examples = [
    "<%= config.bin %> vars maria-01",
    "<%= config.bin %> vars maria-01 --why mariadb_version",
    "<%= config.bin %> vars maria-01 --json",
  ];
  static override args = { host: Args.string({ required: true, description: "name of a host of the inventory" }) };
  static override flags = {
    ...inventoryFlag,
    why: Flags.string({ helpValue: "NAME", description: "every definition of this var, overridden ones too" }),
    json: Flags.boolean({ description: "as one JSON document" }),
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Vars);
    const { findInventory, readInventory } = await import("../services/find-inventory.ts");
    const { viewHost, viewWhy } = await import("../services/inventory-view.ts");
    const { varLines, whyLines } = await import("../reporters/inventory-lines.ts");
    const { printJson, printLines, printWarnings } = await import("../services/print.ts");
    const directory = process.cwd();
    const inventory = await readInventory(findInventory(flags.inventory, directory), directory);
    printWarnings(inventory.warnings);
    if (flags.why !== undefined) {
      const definitions = viewWhy(inventory, args.host, flags.why);
      if (flags.json) printJson({ host: args.host, name: flags.why, definitions });
      else printLines((paint) => whyLines(definitions, paint));
      return 0;
    }
    const host = viewHost(inventory, args.host);
    if (flags.json) printJson({ host: host.name, groups: host.groups, vars: host.vars });
    else printLines((paint) => varLines(host, paint));
    return 0;
  }
}
