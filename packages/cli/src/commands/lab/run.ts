import { Command } from "@oclif/core/command";
import { passedOn } from "../../services/passed-on.ts";
import { labFlags } from "./flags.ts";

/** `kb lab run -- COMMAND` */
export default class LabRun extends Command {
  static override summary = "Run a command inside a lab's network, with the lab's key and known hosts";
  static override description = "Gives back the command's exit code. `kb` in it is this very kb.";
  static override usage = "lab run [-n NAME] -- COMMAND...";
  static override examples = [
    "<%= config.bin %> lab run -- kb play galera --check",
    "<%= config.bin %> lab run -- ping -c 1 maria-01",
  ];
  static override strict = false;
  static override flags = labFlags;

  override async run(): Promise<number> {
    const { argv, flags } = await this.parse(LabRun);
    const { run } = await import("@keybuzz/lab");
    const { ownKb } = await import("../../services/own-kb.ts");
    return run(flags.name, ownKb(passedOn(this.argv, argv)));
  }
}
