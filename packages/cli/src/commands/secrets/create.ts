import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { keyFlag } from "./flags.ts";

/** `kb secrets create`: a new sealed file, typed in an editor. */
export default class SecretsCreate extends Command {
  static override summary = "Make a file sealed with age of what you type in $EDITOR";
  static override description = "Without a key, one is made: age.key beside it. Keep a copy of it elsewhere.";
  static override examples = ["<%= config.bin %> secrets create credentials/db.env.age"];
  static override args = { file: Args.string({ required: true, description: "file to make" }) };
  static override flags = { ...keyFlag };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(SecretsCreate);
    const { createSecret } = await import("../../services/secrets/secrets.ts");
    const { printCreated } = await import("../../services/secrets/print-created.ts");
    printCreated(await createSecret({ file: args.file, directory: process.cwd(), keyFile: flags.key }));
    return 0;
  }
}
