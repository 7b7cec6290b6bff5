import { type Connect, type ConnectionDefaults, makeConnect, type Secret } from "@keybuzz/runner";
import { askSecret } from "./ask-secret.ts";
import { CommandLineError } from "./usage-error.ts";

/** What the command line says about connections. */
export interface ConnectionRequest {
  readonly privateKey?: string | undefined;
  readonly knownHosts?: string | undefined;
  readonly hostKeys: "strict" | "accept-new" | "off";
  readonly askBecomePass: boolean;
}

/** How to reach hosts. */
export interface Reach {
  readonly connect: Connect;
  readonly defaults: ConnectionDefaults;
}

/**
 * Asks for what has to be asked, and gives back how to reach hosts.
 *
 * An encrypted key's passphrase is asked for when the key is first used; without a terminal that key is passed over.
 * @param suspend clears the terminal for a question that comes up during the run
 */
export async function prepareReach(request: ConnectionRequest, suspend: () => () => void): Promise<Reach> {
  const becomePassword = request.askBecomePass ? await askBecomePassword() : undefined;
  return {
    connect: makeConnect({
      hostKeys: request.hostKeys,
      ...(request.knownHosts === undefined ? {} : { knownHostsFiles: [request.knownHosts] }),
      askPassphrase: askEachOnce(suspend),
    }),
    defaults: {
      ...(request.privateKey === undefined ? {} : { privateKeyFile: request.privateKey }),
      ...(becomePassword === undefined ? {} : { becomePassword }),
    },
  };
}

async function askBecomePassword(): Promise<Secret> {
  const password = await askSecret("sudo password: ");
  if (password !== undefined) return password;
  throw new CommandLineError("there is no terminal to ask for the sudo password on", {
    hint: "start kb on a terminal, or let that user become root without a password (NOPASSWD in sudoers)",
  });
}

/** Hosts connect side by side, and most of them with one key: it is asked for once, and one question at a time. */
function askEachOnce(suspend: () => () => void): (keyFile: string) => Promise<Secret | undefined> {
  const asked = new Map<string, Promise<Secret | undefined>>();
  let last: Promise<unknown> = Promise.resolve();
  return (keyFile) => {
    const known = asked.get(keyFile);
    if (known !== undefined) return known;
    const answer = last.then(async () => {
      const resume = suspend();
      try {
        return await askSecret(`passphrase of ${keyFile}: `);
      } finally {
        resume();
      }
    });
    asked.set(keyFile, answer);
    last = answer.catch(() => undefined);
    return answer;
  };
}
