import { type ConfirmRequest, InterruptedError } from "@keybuzz/runner";
import { safeLine } from "../reporters/safe-text.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { CommandLineError } from "./usage-error.ts";

type Answer = "yes" | "no" | "continue";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
/** Enter alone says no, as with Ansible: nothing happens by a slip of the hand. */
const KEYS: Readonly<Record<string, Answer>> = { y: "yes", n: "no", "\r": "no", "\n": "no", c: "continue" };

/**
 * Asks on the terminal whether a task is to be carried out: y, n (or Enter), or c for this one and all that follow.
 * @param suspend clears the terminal for the question
 * @throws CommandLineError where there is no terminal
 */
export function askOnTerminal(suspend: () => () => void): (step: ConfirmRequest) => Promise<Answer> {
  const probe = openTerminal();
  if (probe === undefined) {
    throw new CommandLineError("there is no terminal to ask on", {
      hint: "--step is for a person; --check shows what would change, --list-tasks what there is",
    });
  }
  probe.close();
  return async ({ task, hosts }) => {
    const terminal = openTerminal();
    // Gone in the middle of the run: nobody has agreed to anything.
    if (terminal === undefined) throw new InterruptedError("the terminal to ask on is gone");
    const resume = suspend();
    try {
      terminal.write(`${safeLine(task)} on ${hosts.map(safeLine).join(", ")}? (y)es, (N)o, (c)ontinue `);
      const answer = await readAnswer(terminal);
      terminal.write(`${answer}\n`);
      return answer;
    } finally {
      terminal.close();
      resume();
    }
  };
}

function readAnswer(terminal: Terminal): Promise<Answer> {
  return terminal.read((key) => {
    if (key !== CTRL_C && key !== CTRL_D) return KEYS[key.toLowerCase()];
    terminal.write("stop\n");
    throw new InterruptedError("stopped at the question", { hint: "run the same command again" });
  });
}
