import type { Readable, Writable } from "node:stream";
import type { Secret } from "../secret.ts";

/**
 * How to reach a host and as whom: what an inventory and the command line say. What they leave out is filled in from
 * `~/.ssh/config` when the connection is made, and from the defaults after that.
 */
export interface Target {
  /** The inventory's name of the host. */
  readonly name: string;
  /** IP address or name to connect to, by which `~/.ssh/config` is asked; a container's name for `docker`. */
  readonly address: string;
  /** `~/.ssh/config`'s unless given, else 22. */
  readonly port?: number;
  /** `~/.ssh/config`'s unless given, else root. */
  readonly user?: string;
  /** `ssh` is built in, `openssh` the system's ssh(1), `docker` a container on {@link through}. */
  readonly connection: "ssh" | "openssh" | "local" | "docker";
  /** Private key file, tried before all others. */
  readonly privateKeyFile?: string;
  /** Password of the user, for hosts that ask for one. */
  readonly password?: Secret;
  /** More arguments of ssh(1), as `ansible_ssh_common_args` has them. */
  readonly sshArgs?: readonly string[];
  /** The host that a container runs on. */
  readonly through?: Target;
  /** Whether commands run as another user; a user other than root becomes root unless given. */
  readonly become?: boolean;
  /** The program for that; sudo unless given. */
  readonly becomeMethod?: "sudo" | "su" | "doas";
  /** root unless given. */
  readonly becomeUser: string;
  readonly becomePassword?: Secret;
}

/** A command running on the other side. */
export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when it has ended or the connection is gone, with a reason that a person can read. */
  readonly ended: Promise<string>;
  /** Closes its channel; never throws. */
  close(): void;
}

/** One open way to a host, kept for the run. */
export interface Connection {
  /** Who we are logged in as. */
  readonly user: string;
  /** Starts a command line in the user's login shell. @throws ConnectError */
  start(command: string): Promise<RemoteProcess>;
  close(): Promise<void>;
}

/** A way in. @throws ConnectError with what was tried, what came back and what to try. */
export type Connect = (target: Target) => Promise<Connection>;
