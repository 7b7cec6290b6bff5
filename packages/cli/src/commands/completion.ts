import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `kb completion`: a script for the shell. */
export default class Completion extends Command {
  static override summary = "Print a script that makes a shell complete commands, flags, playbooks and modules";
  static override examples = [
    "source <(<%= config.bin %> completion bash)    in ~/.bashrc; for zsh in ~/.zshrc",
    "<%= config.bin %> completion fish > ~/.config/fish/completions/kb.fish",
  ];
  static override args = {
    shell: Args.string({ required: true, options: [...SHELLS], description: SHELLS.join(", ") }),
  };

  override async run(): Promise<number> {
    const { args } = await this.parse(Completion);
    const { completionScript } = await import("../services/completion.ts");
    const shell = SHELLS.find((one) => one === args.shell) ?? "bash";
    const commands = this.config.commands.map(({ id, summary = "", flags }) => ({
      name: id.replaceAll(":", " "),
      summary,
      flags: Object.keys(flags).toSorted(),
    }));
    process.stdout.write(
      completionScript(
        shell,
        commands.toSorted((a, b) => a.name.localeCompare(b.name)),
      ),
    );
    return 0;
  }
}
