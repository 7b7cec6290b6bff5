import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { PeerRequest } from "./peer-protocol.ts";

/** Two network namespaces with a cable between them: where the recording's client and server stood. */
export interface NamespacePair {
  readonly client: string;
  readonly server: string;
  remove(): void;
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Makes the pair; each side gets its addresses (all in 10.0.0.0/24) and a loopback interface. */
export function createNamespacePair(
  clientAddresses: readonly string[],
  serverAddresses: readonly string[],
): NamespacePair {
  const client = `psqlc${process.pid}`;
  const server = `psqls${process.pid}`;
  const remove = (): void => {
    for (const name of [client, server]) {
      try {
        ip("netns", "delete", name);
      } catch {
        // It was never made.
      }
    }
  };
  try {
    ip("netns", "add", client);
    ip("netns", "add", server);
    ip("link", "add", "cable", "netns", client, "type", "veth", "peer", "name", "cable", "netns", server);
    for (const [name, addresses] of [
      [client, clientAddresses],
      [server, serverAddresses],
    ] as const) {
      for (const address of addresses) ip("-n", name, "address", "add", `${address}/24`, "dev", "cable");
      for (const device of ["cable", "lo"]) ip("-n", name, "link", "set", device, "up");
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { client, server, remove };
}

/** Starts a program inside a namespace. */
export function spawnInside(namespace: string, command: readonly string[], pipes: boolean): ChildProcess {
  const stdio = pipes ? (["pipe", "pipe", "inherit"] as const) : (["ignore", "ignore", "ignore"] as const);
  return spawn("ip", ["netns", "exec", namespace, ...command], { stdio: [...stdio] });
}

/** A client inside a namespace. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting: PromiseWithResolvers<string>[] = [];

  constructor(namespace: string) {
    const script = fileURLToPath(new URL("peer.ts", import.meta.url));
    this.#child = spawnInside(namespace, [process.execPath, script], true);
    if (this.#child.stdout === null) throw new Error("the peer has no stdout");
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#waiting.shift()?.resolve(line));
    this.#child.once("exit", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("the peer has ended"));
    });
  }

  /** Sends a request and waits for its answer. */
  async ask<T>(request: PeerRequest): Promise<T> {
    const answer = Promise.withResolvers<string>();
    this.#waiting.push(answer);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(await answer.promise) as T;
  }

  end(): void {
    this.#child.stdin?.end();
  }
}
