import { createReadStream } from "node:fs";
import { Secret } from "@keybuzz/runner";
import { CommandLineError } from "./usage-error.ts";

/**
 * The first line of an open file descriptor that this process was started with (`3<file`): a secret is in no argument and
 * no environment that way.
 */
export async function readSecret(descriptor: string): Promise<Secret> {
  const fd = /^\d+$/.test(descriptor) ? Number(descriptor) : undefined;
  const hint = "start it so: KB_SSH_PASSPHRASE_FD=3 kb ... 3<FILE";
  if (fd === undefined) throw new CommandLineError(`KB_SSH_PASSPHRASE_FD is "${descriptor}", no number`, { hint });
  let text = "";
  try {
    for await (const chunk of createReadStream("", { fd, encoding: "utf8" })) {
      text += String(chunk);
      if (text.includes("\n")) break;
    }
  } catch (cause) {
    throw new CommandLineError(`cannot read file descriptor ${descriptor}, which KB_SSH_PASSPHRASE_FD names`, {
      hint,
      cause,
    });
  }
  return new Secret(text.replace(/\r?\n[\s\S]*$/, ""));
}
