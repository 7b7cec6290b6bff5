import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";

/** `kb module list` */
export default class ModuleList extends Command {
  static override summary = "List the modules with what each is for";
  static override flags = { json: Flags.boolean({ description: "as one JSON document, with all params" }) };

  override async run(): Promise<number> {
    const { flags } = await this.parse(ModuleList);
    const { describeModule, listModules } = await import("../../services/module-docs.ts");
    const { moduleListLines } = await import("../../reporters/module-lines.ts");
    const { printJson, printLines } = await import("../../services/print.ts");
    if (flags.json) printJson(listModules().map(describeModule));
    else {
      const specs = listModules().map(({ spec }) => spec);
      printLines((paint) => moduleListLines(specs, paint));
    }
    return 0;
  }
}
