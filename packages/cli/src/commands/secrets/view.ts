import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import { inventoryFlag } from "../flags.ts";
import { keyFlag } from "./flags.ts";

/** `kb secrets view`: the clear text, on standard output. */
export default class SecretsView extends Command {
  static override summary = "Print the clear text of a file sealed with age or Ansible Vault";
  static override examples = ["<%= config.bin %> secrets view credentials/mariadb.env.age"];
  static override args = { file: Args.string({ required: true, description: "sealed file" }) };
  static override flags = {
    ...keyFlag,
    "vault-id": inventoryFlag["vault-id"],
    "vault-password-file": inventoryFlag["vault-password-file"],
    "ask-vault-pass": inventoryFlag["ask-vault-pass"],
  };

  override async run(): Promise<number> {
    const { args, flags } = await this.parse(SecretsView);
    const { viewSecret } = await import("../../services/secrets/secrets.ts");
    const { safeText } = await import("../../reporters/safe-text.ts");
    const text = await viewSecret({ file: args.file, directory: process.cwd(), keyFile: flags.key });
    // Into a pipe goes what is there; a terminal is not to obey it.
    process.stdout.write(process.stdout.isTTY ? safeText(text.reveal()) : text.reveal());
    return 0;
  }
}
