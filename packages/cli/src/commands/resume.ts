import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { connectionFlags, runOutputFlags } from "./flags.ts";

/** `kb resume`: goes on with a run that did not come to its end. */
export default class Resume extends Command {
  static override summary = "Play a recorded run again on the hosts that failed, or had not finished";
  static override description =
    `The same playbook, inventory, limit and params. What was done is found done, so nothing is done twice.
Refuses where the playbook or the inventory has changed since, and says what.

Exit codes are those of kb play.`;
  static override examples = ["<%= config.bin %> resume last", "<%= config.bin %> resume 20261122T0743 --all"];
  static override args = { run: Args.string({ required: true, description: "a run, the beginning of one, or last" }) };
  static override flags = {
    all: Flags.boolean({ description: "on all of the run's hosts, those that came to their end too" }),
    anyway: Flags.boolean({
      aliases: ["force"],
      description: "also where the playbook or the inventory has changed since",
    }),
    param: Flags.string({
      char: "e",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "NAME=VALUE",
      description: "a secret param, which is not recorded; asked for on the terminal unless given",
    }),
    ...runOutputFlags,
    ...connectionFlags,
    "host-keys": Flags.option({ options: ["strict", "accept-new", "off"] as const })({
      helpGroup: "CONNECTION",
      description: "which hosts to trust; as the run did unless given",
    }),
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Resume);
    const { reported } = await import("../services/reported.ts");
    const { resumeRun } = await import("../services/resume.ts");
    return reported({ ...flags, diff: false }, (reporter) =>
      resumeRun(
        {
          run: args.run,
          all: flags.all,
          anyway: flags.anyway,
          params: flags.param ?? [],
          connection: {
            privateKey: flags["private-key"],
            knownHosts: flags["known-hosts"],
            ...(flags["host-keys"] === undefined ? {} : { hostKeys: flags["host-keys"] }),
            ...(flags["ask-become-pass"] ? { askBecomePass: true } : {}),
          },
          directory: process.cwd(),
        },
        reporter,
      ),
    );
  }
}
