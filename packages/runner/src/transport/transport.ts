import type { Readable, Writable } from "node:stream";
import type { Secret } from "../secret.ts";

/** How to reach a host and as whom; what an inventory says of a connection. */
export interface Target {
  /** The inventory's name of the host. */
  readonly name: string;
  /** IP address or name to connect to. */
  readonly address: string;
  /** 22 unless given. */
  readonly port: number;
  readonly user: string;
  readonly connection: "ssh" | "local";
  /** Private key file; agent and default keys are tried where there is none. */
  readonly privateKeyFile?: string;
  /** Whether commands run under sudo; {@link becomeUser} is root unless given. */
  readonly become: boolean;
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
  /** Starts a command line in the user's login shell. @throws ConnectError */
  start(command: string): Promise<RemoteProcess>;
  close(): Promise<void>;
}

/** A way in. @throws ConnectError with what was tried, what came back and what to try. */
export type Connect = (target: Target) => Promise<Connection>;
