import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { keyFlag } from "./flags.ts";

/** `kb secrets edit`: changes a sealed file. */
export default class SecretsEdit extends Command {
  static override summary = "Edit a file sealed with age, in $EDITOR";
  static override description =
    `The clear text is in a file of your own in memory while you edit, and nowhere afterwards. The sealed file is
replaced as a whole, and only if the text changed.`;
  static override examples = ["<%= config.bin %> secrets edit credentials/mariadb.env.age"];
  static override args = { file: Args.string({ required: true, description: "sealed file" }) };
  static override flags = { ...keyFlag };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(SecretsEdit);
    const { editSecret } = await import("../../services/secrets/secrets.ts");
    const { printLines } = await import("../../services/print.ts");
    const isChanged = await editSecret({ file: args.file, directory: process.cwd(), keyFile: flags.key });
    printLines((paint) => [isChanged ? `${args.file} is sealed anew` : paint("dim", `${args.file} is as it was`)]);
    return 0;
  }
}
