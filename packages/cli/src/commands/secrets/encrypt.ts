import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { keyFlag } from "./flags.ts";

/** `kb secrets encrypt`: seals what is in a plain file. */
export default class SecretsEncrypt extends Command {
  static override summary = "Seal a plain file with age, into FILE.age";
  static override description = "The plain file stays: remove it once nothing else uses it.";
  static override examples = ["<%= config.bin %> secrets encrypt credentials/mariadb.env"];
  static override args = { file: Args.string({ required: true, description: "plain file" }) };
  static override flags = {
    ...keyFlag,
    output: Flags.string({ char: "o", helpValue: "FILE", description: "sealed file; FILE.age unless given" }),
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(SecretsEncrypt);
    const { encryptFile } = await import("../../services/secrets/secrets.ts");
    const { printCreated } = await import("../../services/secrets/print-created.ts");
    printCreated(await encryptFile({ file: args.file, directory: process.cwd(), keyFile: flags.key }, flags.output));
    return 0;
  }
}
