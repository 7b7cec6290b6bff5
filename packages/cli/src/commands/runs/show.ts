import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";

/** `kb runs show`: what one run did, and why it ended. */
export default class RunsShow extends Command {
  static override summary = "Show what a run changed on whom, what failed, and why it ended";
  static override examples = ["<%= config.bin %> runs show last", "<%= config.bin %> runs show 20261122T0743 -v"];
  static override args = { run: Args.string({ default: "last", description: "a run, the beginning of one, or last" }) };
  static override flags = {
    verbose: Flags.boolean({ char: "v", description: "all that the run told" }),
    json: Flags.boolean({ description: "as one JSON document" }),
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(RunsShow);
    const { describeShownRun, viewRun } = await import("../../services/runs.ts");
    const { runLines } = await import("../../reporters/runs-lines.ts");
    const { printJson, printLines } = await import("../../services/print.ts");
    const run = viewRun(process.cwd(), args.run);
    if (flags.json) printJson(describeShownRun(run));
    else printLines((paint) => runLines(run, paint, flags.verbose));
    return 0;
  }
}
