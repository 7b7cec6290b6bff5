import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";

/** `kb module show NAME` */
export default class ModuleShow extends Command {
  static override summary = "Show a module's params with their types and defaults, and an example";
  static override examples = ["<%= config.bin %> module show apt"];
  static override args = { name: Args.string({ required: true, description: "snake_case, or as it is imported" }) };
  static override flags = { json: Flags.boolean({ description: "as one JSON document" }) };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(ModuleShow);
    const { describeModule, findModule } = await import("../../services/module-docs.ts");
    const { moduleLines } = await import("../../reporters/module-lines.ts");
    const { printJson, printLines } = await import("../../services/print.ts");
    const doc = describeModule(findModule(args.name));
    if (flags.json) printJson(doc);
    else printLines((paint) => moduleLines(doc, paint));
    return 0;
  }
}
