import { resolve } from "node:path";
import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";

/** `kb plan show`: a saved plan, as it was shown when it was made. */
export default class PlanShow extends Command {
  static override summary = "Show a saved plan";
  static override examples = ["<%= config.bin %> plan show plan.json"];
  static override args = { plan: Args.string({ required: true, description: "file that kb plan -o wrote" }) };
  static override flags = {
    verbose: Flags.boolean({ char: "v", description: "unchanged tasks too" }),
    json: Flags.boolean({ description: "as one JSON document" }),
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(PlanShow);
    const { readPlan } = await import("@keybuzz/runner/durable");
    const { planLines } = await import("../../reporters/plan-lines.ts");
    const { printJson, printLines } = await import("../../services/print.ts");
    const plan = readPlan(resolve(args.plan));
    if (flags.json) printJson(plan);
    else printLines((paint) => planLines(plan, paint, flags.verbose));
    return 0;
  }
}
