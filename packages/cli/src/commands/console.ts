import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { connectionFlags, connectionRequest, inventoryFlag } from "./flags.ts";

/** `kb console`: TypeScript on one host. */
export default class Console extends Command {
  static override summary = "Work on one host from a TypeScript prompt, in check mode unless told otherwise";
  static override description =
    `All modules are there by their names, with ensure, probe, sh, sql and ask; await works everywhere. Nothing is changed
before ".apply on" and its confirmation. ".help" tells the rest.

Lines may come through a pipe: then the first error ends it, with its exit code: 1 a host failed or a statement threw, 2 bad
input, 4 the host cannot be reached.`;
  static override examples = [
    "<%= config.bin %> console maria-01",
    "echo 'await probe(sh`uptime`)' | <%= config.bin %> console maria-01",
  ];
  static override args = { host: Args.string({ required: true, description: "a host of the inventory" }) };
  static override flags = { ...inventoryFlag, ...connectionFlags };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(Console);
    const { openConsole } = await import("../services/console/console.ts");
    return openConsole({
      host: args.host,
      inventory: flags.inventory,
      connection: connectionRequest(flags),
      directory: process.cwd(),
    });
  }
}
