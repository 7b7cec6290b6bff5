import { InterruptedError, Secret } from "@keybuzz/runner";
import { openTerminal } from "./terminal.ts";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const CTRL_U = "\x15";
const ENTER: readonly string[] = ["\r", "\n", CTRL_D];
const ERASE: readonly string[] = ["\b", "\x7f"];

/**
 * Asks for a secret on the terminal, without echo, even where standard input is something else (as ssh(1) does).
 * Undefined where there is no terminal.
 * @throws InterruptedError on Ctrl-C
 */
export async function askSecret(question: string): Promise<Secret | undefined> {
  const terminal = openTerminal();
  if (terminal === undefined) return undefined;
  terminal.write(question);
  let line = "";
  try {
    return await terminal.read((key) => {
      if (ENTER.includes(key)) return new Secret(line);
      if (key === CTRL_C) throw new InterruptedError("stopped at the question");
      if (ERASE.includes(key)) line = [...line].slice(0, -1).join("");
      else line = key === CTRL_U ? "" : line + key;
      return undefined;
    });
  } finally {
    terminal.write("\n");
    terminal.close();
  }
}
