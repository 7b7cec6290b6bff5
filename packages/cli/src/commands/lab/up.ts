import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { inventoryFlag } from "../flags.ts";
import { labFlags } from "./flags.ts";

/** `kb lab up` */
export default class LabUp extends Command {
  static override summary = "Boot every host of an inventory as a real Debian host on this machine, at its own address";
  static override description =
    "Needs root. The hosts are in a network of their own, without a way out: an inventory's addresses are safe to use.";
  static override examples = [
    "<%= config.bin %> lab up -i inventories/keybuzz.yml",
    "<%= config.bin %> lab up --rtt 50",
  ];
  static override flags = {
    ...inventoryFlag,
    ...labFlags,
    rtt: Flags.integer({
      min: 0,
      helpValue: "MS",
      description: "round trip between controller and hosts in milliseconds",
    }),
    json: Flags.boolean({ description: "the lab's state as one JSON document" }),
  };

  override async run(): Promise<number> {
    const { flags } = await this.parse(LabUp);
    const { findInventory, readInventory } = await import("../../services/find-inventory.ts");
    const { labSpecOf } = await import("../../services/lab-spec.ts");
    const { printStep, printLab } = await import("../../services/lab-output.ts");
    const { up } = await import("@keybuzz/lab");
    const inventory = await readInventory(findInventory(flags.inventory, process.cwd()), process.cwd());
    printLab(await up(labSpecOf(inventory, flags.name, flags.rtt), { onStep: printStep }), flags.json);
    return 0;
  }
}
