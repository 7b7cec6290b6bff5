import { Command } from "@oclif/core/command";
import { labFlags } from "./flags.ts";

/** `kb lab down` */
export default class LabDown extends Command {
  static override summary = "Take a lab down, and remove all of it";
  static override flags = labFlags;

  override async run(): Promise<number> {
    const { flags } = await this.parse(LabDown);
    const { printStep } = await import("../../services/lab-output.ts");
    const { down } = await import("@keybuzz/lab");
    await down(flags.name, { onStep: printStep });
    return 0;
  }
}
