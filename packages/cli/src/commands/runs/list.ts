import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";

/** `kb runs`: what was played from this folder. */
export default class Runs extends Command {
  static override summary = "List the runs that were recorded in this folder, the newest first";
  static override description = "kb play, kb apply and kb resume record theirs in .kb/runs; the newest 100 are kept.";
  static override examples = ["<%= config.bin %> runs", "<%= config.bin %> runs show last"];
  static override flags = { json: Flags.boolean({ description: "as one JSON document" }) };

  override async run(): Promise<number> {
    const { flags } = await this.parse(Runs);
    const { describeRun, viewRuns } = await import("../../services/runs.ts");
    const { runsLines } = await import("../../reporters/runs-lines.ts");
    const { printJson, printLines } = await import("../../services/print.ts");
    const runs = viewRuns(process.cwd());
    if (flags.json) printJson(runs.map(describeRun));
    else printLines((paint) => runsLines(runs, paint));
    return 0;
  }
}
