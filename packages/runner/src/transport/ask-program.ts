import { execFile } from "node:child_process";
import { Secret } from "../secret.ts";

const ANSWER_MS = 300_000;

/**
 * Asks a person through a program, which gets the question as its argument and writes the answer to its standard output,
 * as ssh(1) does with SSH_ASKPASS. Undefined where it answers nothing: cancelled, or no such program.
 * @see https://man.openbsd.org/ssh.1#SSH_ASKPASS
 */
export function askProgram(program: string, question: string): Promise<Secret | undefined> {
  return new Promise((resolve) => {
    execFile(program, [question], { timeout: ANSWER_MS }, (error, stdout) => {
      resolve(error === null ? new Secret(stdout.replace(/\r?\n[\s\S]*$/, "")) : undefined);
    });
  });
}
