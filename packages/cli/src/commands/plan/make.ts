import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import {
  connectionFlags,
  connectionRequest,
  inventoryFlag,
  runOutputFlags,
  selectionFlags,
  tagFlags,
  taskSelection,
} from "../flags.ts";

/** `kb plan`: what a playbook would change, kept for `kb apply`. */
export default class Plan extends Command {
  static override summary = "Tell what a playbook would change, as --check --diff does, and keep that as a plan";
  static override description =
    `A plan can be read, reviewed and carried out later: kb apply does exactly what it holds, or refuses.
It holds no secret but as a digest under a key of its own; the file is for its owner alone.

Exit codes are those of kb play --check. Where a host failed or could not be reached, no plan is written.`;
  static override examples = [
    "<%= config.bin %> plan galera -o plan.json",
    "<%= config.bin %> plan show plan.json",
    "<%= config.bin %> apply plan.json",
  ];
  static override args = {
    playbook: Args.string({ required: true, description: "name of a file in playbooks/, or a path" }),
  };
  static override flags = {
    ...inventoryFlag,
    ...selectionFlags,
    ...tagFlags,
    out: Flags.string({ char: "o", helpValue: "FILE", description: "write the plan there" }),
    "exit-code": Flags.boolean({ description: "exit with 3 if anything would change" }),
    ...runOutputFlags,
    ...connectionFlags,
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Plan);
    const select = taskSelection(flags);
    const { reported } = await import("../../services/reported.ts");
    const { makePlan } = await import("../../services/plan.ts");
    return reported({ ...flags, diff: true }, (reporter) =>
      makePlan(
        {
          playbook: args.playbook,
          inventory: flags.inventory,
          out: flags.out,
          limit: flags.limit,
          forks: flags.forks,
          params: flags.param ?? [],
          exitCode: flags["exit-code"],
          connection: connectionRequest(flags),
          directory: process.cwd(),
          ...(select === undefined ? {} : { select }),
        },
        reporter,
      ),
    );
  }
}
