import { ConnectError } from "../errors.ts";
import { quoteShell } from "../sh.ts";
import type { Connection, RemoteProcess, Target } from "../transport/transport.ts";

const OPEN_MS = 30_000;

/** sudo refuses without a terminal there: `requiretty` in sudoers. The next shell on that connection has one. */
export class NeedsTerminalError extends ConnectError {}

const needTerminal = new WeakSet<Connection>();

/** A shell that has been started, and whether it is up yet. */
export interface StartedShell {
  readonly process: RemoteProcess;
  /** Resolves when it is up: at once, or when sudo has let it through. @throws ConnectError */
  up(said: AwaitMark): Promise<void>;
}

/** Calls back once when the mark of a shell that is up (`y`) is read on its standard output. */
export type AwaitMark = (callback: () => void) => void;

/** Whether the target's commands run under sudo. */
export function becomes(connection: Connection, target: Target): boolean {
  return (target.become ?? connection.user !== "root") && target.becomeUser !== connection.user;
}

/**
 * Starts a shell that reads its commands from standard input, under sudo where the target says so.
 *
 * @param greeting run before the first command: what it prints is on its way with the server's own answer
 */
export async function startShell(
  connection: Connection,
  target: Target,
  nonce: string,
  greeting?: string,
): Promise<StartedShell> {
  // In base64, since the login shell may be one that quotes otherwise.
  const encoded = greeting === undefined ? undefined : Buffer.from(greeting).toString("base64");
  const greet = encoded === undefined ? "" : `eval "$(echo ${encoded} | base64 -d)"; `;
  if (!becomes(connection, target)) {
    const process = await connection.start(greet === "" ? "exec sh" : `exec sh -c ${quoteShell(`${greet}exec sh`)}`);
    return { process, up: async () => {} };
  }
  const ask = target.becomePassword === undefined ? "-n" : `-S -p ${quoteShell(promptOf(nonce))}`;
  const shell = `echo; echo @@${nonce} y; ${greet}exec sh`;
  // -k: never a cached login, or the password line would be run by the shell as a command.
  const sudo = `exec sudo -k ${ask} -u ${quoteShell(target.becomeUser)} -- sh -c ${quoteShell(shell)}`;
  const terminal = needTerminal.has(connection);
  const process = await connection.start(terminal ? withTerminal(sudo) : sudo);
  const up = async (said: AwaitMark): Promise<void> => {
    try {
      await passSudo(process, target, nonce, said);
    } catch (error) {
      if (terminal || !(error instanceof NeedsTerminalError)) throw error;
      needTerminal.add(connection);
      throw error;
    }
  };
  return { process, up };
}

/**
 * Runs a command with a terminal to its name and the three streams that it would have had without: a terminal as a stream
 * would echo the password, join the two outputs and change line ends. script(1) makes the terminal and copies nothing.
 */
function withTerminal(command: string): string {
  const inner = `${command} <&3 >&4 2>&5 3<&- 4>&- 5>&-`;
  const outer = `exec 3<&0 4>&1 5>&2; SHELL=/bin/sh exec script -qec ${quoteShell(inner)} /dev/null </dev/null >/dev/null`;
  return `exec sh -c ${quoteShell(outer)}`;
}

function promptOf(nonce: string): string {
  return `[sudo ${nonce.slice(0, 12)}] `;
}

/** Waits for the shell under sudo, answering its prompt once. The password is written only after the prompt was seen. */
async function passSudo(process: RemoteProcess, target: Target, nonce: string, said: AwaitMark): Promise<void> {
  let errors = "";
  let answered = false;
  const refuse = (message: string, hint: string): ConnectError =>
    new ConnectError(message, { host: target.name, detail: errors.replaceAll(promptOf(nonce), "").trim(), hint });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => finish(refuse("sudo did not answer in time", "check sudo on that host by hand")),
      OPEN_MS,
    );
    const onError = (chunk: Buffer): void => {
      errors += chunk.toString("utf8");
      const prompts = errors.split(promptOf(nonce)).length - 1;
      if (prompts > (answered ? 1 : 0)) {
        if (answered) finish(refuse("sudo refused the password", "check ansible_become_password"));
        else process.stdin.write(`${target.becomePassword?.reveal() ?? ""}\n`);
        answered = true;
      }
    };
    function finish(error?: ConnectError): void {
      clearTimeout(timer);
      process.stderr.off("data", onError);
      if (error === undefined) resolve();
      else {
        process.close();
        reject(error);
      }
    }
    process.stderr.on("data", onError);
    said(() => finish());
    void process.ended.then((reason) => {
      if (/must have a tty/.test(errors)) {
        const hint = "take requiretty out of its sudoers, or install script(1) there";
        return finish(
          new NeedsTerminalError("sudo wants a terminal", { host: target.name, detail: errors.trim(), hint }),
        );
      }
      finish(
        refuse(
          `sudo did not give a shell (${reason})`,
          target.becomePassword === undefined
            ? "give the password: set ansible_become_password, or type it with --ask-become-pass"
            : "check ansible_become_password and the host's sudoers",
        ),
      );
    });
  });
}
