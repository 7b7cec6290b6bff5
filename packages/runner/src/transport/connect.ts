import type { Secret } from "../secret.ts";
import { connectLocal } from "./local.ts";
import type { AskPassphrase } from "./ssh-key-file.ts";
import type { Connect } from "./transport.ts";

/** How the ways over ssh trust and authenticate. What is given here comes before `~/.ssh/config`. */
export interface SshOptions {
  /**
   * `strict` (the default): only keys in known_hosts. `accept-new`: an unknown host's key is written to known_hosts; a
   * changed one is still refused. `off`: any key; for throw-away hosts on a network of your own.
   */
  readonly hostKeys?: "strict" | "accept-new" | "off";
  /** In place of those of `~/.ssh/config`, the user's and the system's. New keys go to the first. */
  readonly knownHostsFiles?: readonly string[];
  /** In place of `~/.ssh/config` and `/etc/ssh/ssh_config`; `none` for neither. */
  readonly configFile?: string;
  /** Private key for bastions, beside those of the configuration; hosts name theirs. */
  readonly privateKeyFile?: string;
  /** Asked for the passphrase of an encrypted key, once a key file. */
  readonly askPassphrase?: AskPassphrase;
  /** Asked what a host wants to know besides the password, such as a one-time code. */
  readonly ask?: (question: string) => Promise<Secret | undefined>;
  /** Milliseconds for TCP and for the handshake, each, where `~/.ssh/config` has no ConnectTimeout; 15 000 unless given. */
  readonly timeoutMs?: number;
}

/** The ways in that targets ask for. One for a run: what hosts share is kept in it. */
export function makeConnect(options: SshOptions = {}): Connect {
  let ssh: Promise<{ connect: Connect }> | undefined;
  let openssh: Promise<{ connect: Connect }> | undefined;
  const connect: Connect = async (target) => {
    switch (target.connection) {
      case "local":
        return connectLocal(target);
      case "docker":
        return (await import("./docker.ts")).connectDocker(target, connect);
      case "openssh":
        openssh ??= import("./openssh.ts").then(({ OpensshTransport }) => new OpensshTransport(options));
        return (await openssh).connect(target);
      case "ssh":
        // ssh2 takes a tenth of a second to load; a run that stays on this machine does not pay for it.
        ssh ??= import("./ssh.ts").then(({ SshTransport }) => new SshTransport(options));
        return (await ssh).connect(target);
    }
  };
  return connect;
}
