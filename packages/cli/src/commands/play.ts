import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import {
  connectionFlags,
  connectionRequest,
  inventoryFlag,
  listFlags,
  runOutputFlags,
  selectionFlags,
  taskFlags,
  taskSelection,
} from "./flags.ts";

/** `kb play`: brings hosts to what a playbook declares, or tells what that would change. */
export default class Play extends Command {
  static override summary = "Bring hosts to what a playbook declares, or with --check tell what that would change";
  static override description =
    `Changes only what differs; a second run changes nothing. Each run is recorded in .kb/runs: see kb runs, kb resume.

Exit codes:
- 0: converged
- 1: a host failed
- 2: bad usage or input, found before any connection was made
- 3: with --check --exit-code, something would change
- 4: a host could not be reached
- 70: a defect of kb
- 130: interrupted`;
  static override examples = [
    "<%= config.bin %> play galera --check --diff",
    "<%= config.bin %> play galera -i servers.tsv --limit maria-01",
    "<%= config.bin %> play ./playbooks/verify.ts --json",
    "<%= config.bin %> play galera --list-tasks --tags config",
  ];
  static override args = {
    playbook: Args.string({ required: true, description: "name of a file in playbooks/, or a path" }),
  };
  static override flags = {
    ...inventoryFlag,
    check: Flags.boolean({ char: "C", description: "change nothing; tell what would be changed" }),
    diff: Flags.boolean({ char: "D", description: "show each change in full, with text diffs" }),
    ...selectionFlags,
    ...taskFlags,
    ...listFlags,
    "exit-code": Flags.boolean({
      dependsOn: ["check"],
      description: "with --check: exit with 3 if anything would change",
    }),
    ...runOutputFlags,
    ...connectionFlags,
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Play);
    const { reported } = await import("../services/reported.ts");
    const { playByName } = await import("../services/play.ts");
    const select = taskSelection(flags);
    const request = {
      playbook: args.playbook,
      inventory: flags.inventory,
      check: flags.check,
      diff: flags.diff,
      limit: flags.limit,
      forks: flags.forks,
      params: flags.param ?? [],
      exitCode: flags["exit-code"],
      ...(select === undefined ? {} : { select }),
      step: flags.step,
      connection: connectionRequest(flags),
      directory: process.cwd(),
    };
    const what = (["hosts", "tasks", "tags"] as const).filter((kind) => flags[`list-${kind}`]);
    if (what.length > 0) {
      const { listRun } = await import("../services/list-run.ts");
      return listRun(request, { what, json: flags.json, verbose: flags.verbose });
    }
    return reported(flags, (reporter) => playByName(request, reporter));
  }
}
