import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { connectionFlags, connectionRequest, runOutputFlags } from "./flags.ts";

/** `kb apply`: carries out a saved plan. */
export default class Apply extends Command {
  static override summary = "Carry out a saved plan, exactly, or refuse";
  static override description =
    `Reads every host once more first. Where one is not what the plan was made from, or the playbook or inventory
says something else now, nothing is changed: the host, the task and the difference are named, and the exit code is 1.

Exit codes are those of kb play.`;
  static override examples = ["<%= config.bin %> apply plan.json"];
  static override args = { plan: Args.string({ required: true, description: "file that kb plan -o wrote" }) };
  static override flags = {
    param: Flags.string({
      char: "e",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "NAME=VALUE",
      description: "a secret param, which the plan does not hold; asked for on the terminal unless given",
    }),
    ...runOutputFlags,
    ...connectionFlags,
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Apply);
    const { reported } = await import("../services/reported.ts");
    const { applyPlan } = await import("../services/apply.ts");
    return reported({ ...flags, diff: false }, (reporter) =>
      applyPlan(
        {
          plan: args.plan,
          params: flags.param ?? [],
          connection: connectionRequest(flags),
          forks: flags.forks,
          directory: process.cwd(),
        },
        reporter,
      ),
    );
  }
}
