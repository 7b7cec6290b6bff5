import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import type { AdHoc } from "../services/ad-hoc/do.ts";
import { connectionFlags, connectionRequest, inventoryFlag, outputFlags } from "./flags.ts";

/** `kb do`: one task, or one plain command, on the hosts of a pattern. */
export default class Do extends Command {
  static override summary = "Bring hosts in line with one task, without a playbook; or run a plain command on them";
  static override description =
    `Params are KEY=VALUE, in the types that kb module show tells: numbers, yes and no, lists as a,b or JSON, fields of
objects as a.b=VALUE. @FILE stands for what a file holds: the only way for passwords, since arguments can be read by
everybody.

After --, or as the module "shell", comes a plain command, without any of a module's promises: it runs each time, there is
no check mode for it, and nobody knows what it changes. One word is a line for the shell; several are a program and its
arguments.

Exit codes are those of kb play; a plain command that exits with anything but 0 has failed.`;
  static override usage = "do PATTERN MODULE [KEY=VALUE...] | PATTERN -- COMMAND...";
  static override examples = [
    "<%= config.bin %> do mariadb apt name=curl,jq --check --diff",
    "<%= config.bin %> do all sysctl name=vm.swappiness value=1",
    "<%= config.bin %> do maria-01 command run='openssl dhparam -out /etc/dh.pem 2048' creates=/etc/dh.pem",
    "<%= config.bin %> do all -- uptime",
    "<%= config.bin %> do 'proxysql:!proxysql-02' shell 'df -h / | tail -n 1'",
  ];
  static override strict = false;
  static override args = {
    pattern: Args.string({ required: true, description: "hosts, groups, globs, &and, !not" }),
    module: Args.string({ description: "a module's name; kb module list has them all" }),
  };
  static override flags = {
    ...inventoryFlag,
    check: Flags.boolean({ char: "C", description: "change nothing; tell what would be changed" }),
    diff: Flags.boolean({ char: "D", description: "show each change in full, with text diffs" }),
    "exit-code": Flags.boolean({
      dependsOn: ["check"],
      description: "with --check: exit with 3 if anything would change",
    }),
    ...outputFlags,
    ...connectionFlags,
  };

  override async run(): Promise<number> {
    const { args, argv, flags } = await this.parse(Do);
    const { CommandLineError } = await import("../services/usage-error.ts");
    const { reported } = await import("../services/reported.ts");
    const { doOnHosts } = await import("../services/ad-hoc/do.ts");
    const what = adHocOf(argv.slice(1).map(String), this.argv);
    if (what === undefined) {
      throw new CommandLineError("there is nothing to do", { hint: "name a module, or a command after --" });
    }
    return reported({ json: flags.json, verbose: flags.verbose, diff: flags.diff }, (reporter) =>
      doOnHosts(
        {
          pattern: args.pattern,
          what,
          inventory: flags.inventory,
          check: flags.check,
          diff: flags.diff,
          exitCode: flags["exit-code"],
          forks: flags.forks,
          connection: connectionRequest(flags),
          directory: process.cwd(),
        },
        reporter,
      ),
    );
  }
}

/** What is to be done, from the words after the pattern and the whole command line. */
function adHocOf(words: readonly string[], commandLine: readonly string[]): AdHoc | undefined {
  const dashes = commandLine.indexOf("--");
  if (dashes >= 0) {
    const command = commandLine.slice(dashes + 1);
    return command.length === 0 ? undefined : { kind: "command", words: command };
  }
  const [module, ...rest] = words;
  if (module === undefined) return undefined;
  return module === "shell" ? { kind: "command", words: [rest.join(" ")] } : { kind: "module", module, words: rest };
}
