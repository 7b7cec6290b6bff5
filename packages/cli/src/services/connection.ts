import { askProgram, type Connect, type ConnectionDefaults, makeConnect, type Secret } from "@keybuzz/runner";
import { askSecret } from "./ask-secret.ts";
import { CommandLineError } from "./usage-error.ts";

/** What the command line says about connections; what it leaves out is `~/.ssh/config`'s. */
export interface ConnectionRequest {
  readonly privateKey?: string | undefined;
  readonly knownHosts?: string | undefined;
  readonly hostKeys?: "strict" | "accept-new" | "off" | undefined;
  readonly sshConfig?: string | undefined;
  readonly connection?: "ssh" | "openssh" | undefined;
  readonly askPass?: boolean | undefined;
  readonly askBecomePass: boolean;
}

/** How to reach hosts. */
export interface Reach {
  readonly connect: Connect;
  readonly defaults: ConnectionDefaults;
}

/** Asks a person; undefined where there is nobody. */
type Ask = (question: string) => Promise<Secret | undefined>;

/**
 * Asks for what has to be asked, and gives back how to reach hosts.
 *
 * An encrypted key's passphrase is asked for when the key is first used: of `KB_SSH_PASSPHRASE_FD` (the number of an open
 * file descriptor), else of the terminal, else of the program that `SSH_ASKPASS` names. Where nobody answers, that key is
 * passed over.
 * @param suspend clears the terminal for a question that comes up during the run
 */
export async function prepareReach(request: ConnectionRequest, suspend: () => () => void): Promise<Reach> {
  const password = request.askPass ? await askAtFirst("ssh password: ", "give hosts a key") : undefined;
  const becomePassword = request.askBecomePass
    ? await askAtFirst("sudo password: ", "let that user become root without a password (NOPASSWD in sudoers)")
    : undefined;
  const ask = oneAtATime(suspend);
  const { privateKey, knownHosts, hostKeys, sshConfig, connection } = request;
  return {
    connect: makeConnect({
      ...(hostKeys === undefined ? {} : { hostKeys }),
      ...(knownHosts === undefined ? {} : { knownHostsFiles: [knownHosts] }),
      ...(sshConfig === undefined ? {} : { configFile: sshConfig }),
      ...(privateKey === undefined ? {} : { privateKeyFile: privateKey }),
      askPassphrase: passphraseOf(ask),
      ask,
    }),
    defaults: {
      ...(connection === undefined ? {} : { connection }),
      ...(privateKey === undefined ? {} : { privateKeyFile: privateKey }),
      ...(password === undefined ? {} : { password }),
      ...(becomePassword === undefined ? {} : { becomePassword }),
    },
  };
}

/** One for all hosts that have none of their own. */
async function askAtFirst(question: string, otherwise: string): Promise<Secret> {
  const password = await askAnywhere(question);
  if (password !== undefined) return password;
  throw new CommandLineError(`there is no terminal to ask for the ${question.replace(": ", "")} on`, {
    hint: `start kb on a terminal, or ${otherwise}`,
  });
}

/** Hosts connect side by side; questions come one after the other. */
function oneAtATime(suspend: () => () => void): Ask {
  let last: Promise<unknown> = Promise.resolve();
  return (question) => {
    const answer = last.then(async () => {
      const resume = suspend();
      try {
        return await askAnywhere(question);
      } finally {
        resume();
      }
    });
    last = answer.catch(() => undefined);
    return answer;
  };
}

/** A descriptor is read once, and a wrong passphrase in it is not asked for again. */
function passphraseOf(ask: Ask): (keyFile: string, wrong: boolean) => Promise<Secret | undefined> {
  let handed: Promise<Secret | undefined> | undefined;
  return async (keyFile, wrong) => {
    const descriptor = process.env["KB_SSH_PASSPHRASE_FD"];
    if (descriptor === undefined) return ask(`${wrong ? "that was wrong; " : ""}passphrase of ${keyFile}: `);
    const { readSecret } = await import("./read-secret.ts");
    handed ??= readSecret(descriptor);
    return wrong ? undefined : handed;
  };
}

/** As ssh(1): the program of SSH_ASKPASS where there is no terminal, or where SSH_ASKPASS_REQUIRE says so. */
async function askAnywhere(question: string): Promise<Secret | undefined> {
  const program = process.env["SSH_ASKPASS"];
  const wish = process.env["SSH_ASKPASS_REQUIRE"];
  const viaProgram = async (): Promise<Secret | undefined> => {
    if (program === undefined || program === "" || wish === "never") return undefined;
    return askProgram(program, question);
  };
  if (wish === "force" || wish === "prefer") return viaProgram();
  return (await askSecret(question)) ?? viaProgram();
}
