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
  const way = wayOf(target, nonce, `echo; echo @@${nonce} y; ${greet}exec sh`);
  const terminal = needTerminal.has(connection);
  const process = await connection.start(terminal ? withTerminal(way.command) : way.command);
  const up = async (said: AwaitMark): Promise<void> => {
    try {
      await pass(process, target, way, said);
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

/** A program that makes another user of us. */
interface Way {
  readonly program: NonNullable<Target["becomeMethod"]>;
  readonly command: string;
  /** What it asks for the password with. */
  readonly prompt: string;
}

function wayOf(
  { becomeMethod: program = "sudo", becomeUser, becomePassword }: Target,
  nonce: string,
  shell: string,
): Way {
  const [user, run] = [quoteShell(becomeUser), `sh -c ${quoteShell(shell)}`];
  switch (program) {
    case "sudo": {
      const prompt = `[sudo ${nonce.slice(0, 12)}] `;
      const ask = becomePassword === undefined ? "-n" : `-S -p ${quoteShell(prompt)}`;
      // -k: never a cached login, or the password line would be run by the shell as a command.
      return { program, prompt, command: `exec sudo -k ${ask} -u ${user} -- ${run}` };
    }
    case "su": {
      const command = `exec env LC_ALL=C su -s /bin/sh ${user} -c ${quoteShell(`exec ${run}`)}`;
      return { program, prompt: "Password: ", command };
    }
    case "doas":
      // doas(1) reads a password from a terminal only, so that it has to let us through without one.
      return { program, prompt: `doas ${nonce}`, command: `exec doas -n -u ${user} -- ${run}` };
  }
}

/** Waits for the other user's shell, answering one prompt. The password is written only after the prompt was seen. */
async function pass(process: RemoteProcess, target: Target, way: Way, said: AwaitMark): Promise<void> {
  const { program, prompt } = way;
  let errors = "";
  let answered = false;
  const refuse = (message: string, hint: string): ConnectError =>
    new ConnectError(message, { host: target.name, detail: errors.replaceAll(prompt, "").trim(), hint });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => finish(refuse(`${program} did not answer in time`, `check ${program} on that host by hand`)),
      OPEN_MS,
    );
    const onError = (chunk: Buffer): void => {
      errors += chunk.toString("utf8");
      const prompts = errors.split(prompt).length - 1;
      if (prompts <= (answered ? 1 : 0)) return;
      const password = target.becomePassword;
      if (answered) finish(refuse(`${program} refused the password`, "check ansible_become_password"));
      else if (password === undefined) finish(refuse(`${program} wants a password`, GIVE_PASSWORD));
      else process.stdin.write(`${password.reveal()}\n`);
      answered = true;
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
      const refused =
        answered && program === "su" ? "su refused the password" : `${program} did not give a shell (${reason})`;
      finish(refuse(refused, target.becomePassword === undefined ? GIVE_PASSWORD : CHECK[program]));
    });
  });
}

const GIVE_PASSWORD = "give the password: set ansible_become_password, or type it with --ask-become-pass";

const CHECK: Readonly<Record<Way["program"], string>> = {
  sudo: "check ansible_become_password and the host's sudoers",
  su: "check ansible_become_password: su wants that of the user who is become",
  doas: "permit nopass in the host's doas.conf: doas takes no password without a terminal",
};
