import { openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { InterruptedError, Secret } from "@keybuzz/runner";

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
  const descriptor = openTerminal();
  if (descriptor === undefined) return undefined;
  const terminal = new ReadStream(descriptor);
  // Echo goes off before the question comes, for those who type ahead.
  terminal.setRawMode(true);
  writeSync(descriptor, question);
  try {
    return new Secret(await readLine(terminal));
  } finally {
    terminal.setRawMode(false);
    writeSync(descriptor, "\n");
    terminal.destroy();
  }
}

function openTerminal(): number | undefined {
  try {
    return openSync("/dev/tty", "r+");
  } catch {
    return undefined;
  }
}

function readLine(terminal: ReadStream): Promise<string> {
  terminal.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    let line = "";
    terminal.once("error", reject);
    terminal.on("data", (chunk) => {
      for (const character of String(chunk)) {
        if (ENTER.includes(character)) return resolve(line);
        if (character === CTRL_C) return reject(new InterruptedError("stopped at the question"));
        if (ERASE.includes(character)) line = [...line].slice(0, -1).join("");
        else line = character === CTRL_U ? "" : line + character;
      }
    });
  });
}
