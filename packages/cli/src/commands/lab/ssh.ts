import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { passedOn } from "../../services/passed-on.ts";
import { labFlags } from "./flags.ts";

/** `kb lab ssh HOST` */
export default class LabSsh extends Command {
  static override summary = "Log in to a host of a lab, or run one command there";
  static override usage = "lab ssh [-n NAME] [USER@]HOST [-- COMMAND...]";
  static override examples = [
    "<%= config.bin %> lab ssh maria-01",
    "<%= config.bin %> lab ssh admin@maria-01 -- uptime",
  ];
  static override strict = false;
  static override args = {
    host: Args.string({ required: true, description: "host, or USER@HOST; root unless given" }),
  };
  static override flags = labFlags;

  override async run(): Promise<number> {
    const { args, argv, flags } = await this.parse(LabSsh);
    const { ssh } = await import("@keybuzz/lab");
    return ssh(flags.name, args.host, passedOn(this.argv, argv.slice(1)));
  }
}
