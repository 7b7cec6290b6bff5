import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";
import * as Flags from "@oclif/core/flags";
import { keyFlag } from "./flags.ts";

/** `kb secrets rotate-key`: the same text, for another key. */
export default class SecretsRotateKey extends Command {
  static override summary = "Seal files anew: with a new key, for other recipients, or with a passphrase";
  static override description =
    `Without a flag a new identity is made in the key's file; the old one goes once no sealed file beside it needs it.
Whom a file is sealed for is kept in FILE.recipients. Each file is replaced only by what was proved to open.
Who has the old key and an old copy can still read that copy: change the passwords themselves where a key was lost.`;
  static override examples = [
    "<%= config.bin %> secrets rotate-key credentials/*.age",
    "<%= config.bin %> secrets rotate-key db.env.age --recipient age1... --recipient age1...",
    "<%= config.bin %> secrets rotate-key db.env.age --passphrase",
  ];
  static override strict = false;
  static override args = { file: Args.string({ required: true, description: "sealed files" }) };
  static override flags = {
    ...keyFlag,
    recipient: Flags.string({
      char: "r",
      multiple: true,
      multipleNonGreedy: true,
      helpValue: "age1...",
      exclusive: ["passphrase"],
      description: "public key of somebody who is to open it, you included; may be given several times",
    }),
    passphrase: Flags.boolean({ char: "p", description: "ask for a passphrase, and seal with that" }),
  };

  override async run(): Promise<number> {
    const { argv, flags } = await this.parse(SecretsRotateKey);
    const { rotateKey } = await import("../../services/secrets/secrets.ts");
    const { printLines } = await import("../../services/print.ts");
    const { shownPath } = await import("../../services/shown-path.ts");
    const { safeLine } = await import("../../reporters/safe-text.ts");
    const { files, keyFile, stillOld } = await rotateKey({
      files: argv.map(String),
      directory: process.cwd(),
      keyFile: flags.key,
      recipients: flags.recipient ?? [],
      passphrase: flags.passphrase,
    });
    const shown = (path: string): string => safeLine(shownPath(path));
    printLines((paint) => [
      ...files.map((file) => `${shown(file)} is sealed anew`),
      ...(keyFile === undefined
        ? []
        : [paint("change", `${shown(keyFile)} has a new key: keep a copy of it elsewhere`)]),
      ...stillOld.map((file) =>
        paint("doubt", `${shown(file)} still needs the old key, which therefore stays beside it`),
      ),
    ]);
    return 0;
  }
}
