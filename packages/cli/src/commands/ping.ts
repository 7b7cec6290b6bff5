import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { connectionFlags, connectionRequest, inventoryFlag, outputFlags } from "./flags.ts";

/** `kb ping`: shows which hosts can be worked on. */
export default class Ping extends Command {
  static override summary = "Connect to hosts, and show how long that took, as whom, and what they run";
  static override description = "Exits with 4 if a host could not be reached.";
  static override examples = ["<%= config.bin %> ping", "<%= config.bin %> ping 'mariadb:!maria-03'"];
  static override args = {
    pattern: Args.string({ default: "all", description: "hosts, groups, globs, &and, !not" }),
  };
  static override flags = { ...inventoryFlag, ...outputFlags, ...connectionFlags };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Ping);
    const { reported } = await import("../services/reported.ts");
    const { ping } = await import("../services/ping.ts");
    return reported({ json: flags.json, verbose: flags.verbose, diff: false }, (reporter) =>
      ping(
        {
          pattern: args.pattern,
          inventory: flags.inventory,
          forks: flags.forks,
          connection: connectionRequest(flags),
          directory: process.cwd(),
        },
        reporter,
      ),
    );
  }
}
