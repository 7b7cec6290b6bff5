import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { inventoryFlag } from "./flags.ts";

/** `kb check`: finds what is wrong with a playbook without asking any host. */
export default class Check extends Command {
  static override summary = "Find what is wrong with a playbook, without connecting to any host";
  static override description =
    `Checks types (with the project's own TypeScript compiler), the inventory's groups and vars, and the params and templates
of every task on every host. What depends on a host's answer is listed as not checked, with the place and the reason:
kb play --check tells about that.

The playbook's own code runs, as it does in check mode; no task is carried out.

Exit codes:
- 0: no error
- 2: an error was found, or bad usage`;
  static override examples = [
    "<%= config.bin %> check site",
    "<%= config.bin %> check ./playbooks/galera.ts -i inventories/keybuzz.yml --json",
  ];
  static override args = {
    playbook: Args.string({ required: true, description: "name of a file in playbooks/, or a path" }),
  };
  static override flags = {
    ...inventoryFlag,
    limit: Flags.string({ char: "l", helpValue: "PATTERN", description: "check for these hosts only" }),
    param: Flags.string({
      char: "e",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "NAME=VALUE",
      description: "param of the playbook; may be given several times",
    }),
    types: Flags.boolean({ default: true, allowNo: true, description: "check types too" }),
    verbose: Flags.boolean({ char: "v", description: "list the tasks of every host" }),
    json: Flags.boolean({ description: "as one JSON document" }),
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Check);
    const { check } = await import("../services/check/check.ts");
    const { checkLines } = await import("../reporters/check-lines.ts");
    const { printJson, printLines } = await import("../services/print.ts");
    const report = await check({
      playbook: args.playbook,
      inventory: flags.inventory,
      limit: flags.limit,
      params: flags.param ?? [],
      types: flags.types,
      directory: process.cwd(),
    });
    if (flags.json) printJson(report);
    else printLines((paint) => checkLines(report, paint, { verbose: flags.verbose }));
    return report.faults.length === 0 ? 0 : 2;
  }
}
