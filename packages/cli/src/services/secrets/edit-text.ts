import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runOnTerminal, Secret, SecretsError } from "@keybuzz/runner";
import { makePrivateFolder } from "./private-folder.ts";

/**
 * Lets the operator edit a secret text in `$VISUAL` or `$EDITOR` (vi unless given), in a file of mode 0600 on a file
 * system in memory, which is gone afterwards whatever happens.
 * @param name of the sealed file: the editor's file has it without `.age`, so that it is shown in its colours
 * @throws SecretsError where the editor fails, with nothing written
 */
export async function editText(text: Secret, name: string, env: NodeJS.ProcessEnv = process.env): Promise<Secret> {
  const folder = makePrivateFolder(env);
  try {
    const file = join(folder.path, basename(name).replace(/\.age$/, "") || "secret");
    writeFileSync(file, text.reveal(), { mode: 0o600, flag: "wx" });
    const editor = env["VISUAL"] || env["EDITOR"] || "vi";
    // The variable may hold arguments (`code --wait`), and is the operator's own to have split by the shell, as git does.
    const exitCode = await runOnTerminal(["/bin/sh", "-c", `${editor} "$@"`, "sh", file]);
    if (exitCode !== 0) {
      throw new SecretsError(`the editor ended with ${exitCode}, so nothing is written`, {
        hint: `EDITOR is ${editor}`,
      });
    }
    return new Secret(readFileSync(file, "utf8"));
  } finally {
    folder.remove();
  }
}
