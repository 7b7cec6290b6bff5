import * as Args from "@oclif/core/args";
import { Command } from "@oclif/core/command";

const KINDS = ["role", "module", "playbook", "inventory", "project"] as const;

/** `kb new`: the beginning of a role, a module, a playbook, an inventory, or a whole project. */
export default class New extends Command {
  static override summary = "Begin a role, module, playbook, inventory or project that passes its own tests";
  static override description =
    "Writes into roles/, modules/, playbooks/ or inventories/ of this folder, and a project into a folder of its own. Nothing\nthat is there already is overwritten.";
  static override examples = [
    "<%= config.bin %> new project infrastructure",
    "<%= config.bin %> new role web-server",
    "<%= config.bin %> new module time-zone",
  ];
  static override args = {
    kind: Args.string({ required: true, options: [...KINDS], description: KINDS.join(", ") }),
    name: Args.string({ required: true, description: "small letters, digits and hyphens" }),
  };

  override async run(): Promise<number> {
    const { args } = await this.parse(New);
    const { scaffold } = await import("../services/scaffold/scaffold.ts");
    const { printLines } = await import("../services/print.ts");
    const kind = KINDS.find((one) => one === args.kind) ?? "role";
    const { files, next } = scaffold(kind, args.name, process.cwd());
    printLines((paint) => [
      ...files.map((file) => `${paint("good", "written".padEnd(12))} ${file}`),
      "",
      paint("strong", "next"),
      ...next.map((step) => `  ${step}`),
    ]);
    return 0;
  }
}
