import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { labFlags } from "./flags.ts";

/** `kb lab status` */
export default class LabStatusCommand extends Command {
  static override summary = "Show a lab's hosts, and whether they answer";
  static override flags = { ...labFlags, json: Flags.boolean({ description: "as one JSON document" }) };

  override async run(): Promise<number> {
    const { flags } = await this.parse(LabStatusCommand);
    const { printLab } = await import("../../services/lab-output.ts");
    const { status } = await import("@keybuzz/lab");
    const lab = await status(flags.name);
    printLab(lab, flags.json);
    return lab.hosts.every(({ state }) => state === "reachable") ? 0 : 1;
  }
}
