import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { connectionFlags, connectionRequest, inventoryFlag, selectionFlags, tagFlags, taskSelection } from "./flags.ts";

/** `kb verify`: whether hosts are still what a playbook declares. */
export default class Verify extends Command {
  static override summary = "Tell which hosts have drifted from what a playbook declares, and change nothing";
  static override description =
    `For cron and timers: prints one line a host that is not as declared, and nothing where all are. Nothing is recorded.

It holds hosts against any playbook, site unless given. The playbook called verify is something else: it proves that the
cluster works (kb play verify).

Exit codes, as of kb play --check --exit-code:
- 0: no drift
- 1: a host failed
- 2: bad usage or input, found before any connection was made
- 3: drift
- 4: a host could not be reached`;
  static override examples = [
    "<%= config.bin %> verify",
    "<%= config.bin %> verify galera --limit mariadb -v",
    "<%= config.bin %> verify --json",
  ];
  static override args = {
    playbook: Args.string({ description: "name of a file in playbooks/, or a path; site unless given" }),
  };
  static override flags = {
    ...inventoryFlag,
    ...selectionFlags,
    ...tagFlags,
    verbose: Flags.boolean({ char: "v", description: "a last line that counts, as on a terminal" }),
    json: Flags.boolean({ description: "as one JSON document" }),
    ...connectionFlags,
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Verify);
    const select = taskSelection(flags);
    const { verify } = await import("../services/verify.ts");
    const { verifyLines } = await import("../reporters/verify-lines.ts");
    const { printJson, printLines } = await import("../services/print.ts");
    const report = await verify({
      playbook: args.playbook,
      inventory: flags.inventory,
      limit: flags.limit,
      forks: flags.forks,
      params: flags.param ?? [],
      connection: connectionRequest(flags),
      directory: process.cwd(),
      ...(select === undefined ? {} : { select }),
    });
    const verbose = flags.verbose || process.stdout.isTTY === true;
    if (flags.json) printJson(report);
    else printLines((paint) => verifyLines(report, paint, verbose));
    return report.exitCode;
  }
}
