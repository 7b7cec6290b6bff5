import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { inventoryFlag } from "./flags.ts";

/** `kb inventory`: who is in which group, and where each value was written. */
export default class InventoryCommand extends Command {
  static override summary = "Show groups and hosts, and where each of their vars was written";
  static override examples = [
    "<%= config.bin %> inventory",
    "<%= config.bin %> inventory --host maria-01",
    "<%= config.bin %> inventory 'mariadb:&all' --json",
  ];
  static override args = {
    pattern: Args.string({ default: "all", description: "hosts, groups, globs, &and, !not" }),
  };
  static override flags = {
    ...inventoryFlag,
    host: Flags.string({ helpValue: "NAME", description: "show this host's vars, each with its file and line" }),
    vars: Flags.boolean({ char: "v", description: "show the vars of every host" }),
    json: Flags.boolean({ description: "as one JSON document" }),
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(InventoryCommand);
    const { findInventory, readInventory } = await import("../services/find-inventory.ts");
    const { viewHost, viewHosts, viewTree } = await import("../services/inventory-view.ts");
    const { hostLines, treeLines } = await import("../reporters/inventory-lines.ts");
    const { shownPath } = await import("../services/shown-path.ts");
    const { printJson, printLines, printWarnings } = await import("../services/print.ts");
    const file = findInventory(flags.inventory, process.cwd());
    const inventory = await readInventory(file, process.cwd());
    printWarnings(inventory.warnings);
    if (flags.host !== undefined) {
      const host = viewHost(inventory, flags.host);
      if (flags.json) printJson(host);
      else printLines((paint) => hostLines(host, paint));
      return 0;
    }
    const hosts = viewHosts(inventory, args.pattern);
    if (flags.json) {
      printJson({ file: shownPath(file), hosts });
    } else {
      const head = `${shownPath(file)}: ${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`;
      printLines((paint) => [
        paint("dim", head),
        ...treeLines(viewTree(inventory, hosts), paint, { vars: flags.vars }),
      ]);
    }
    return 0;
  }
}
