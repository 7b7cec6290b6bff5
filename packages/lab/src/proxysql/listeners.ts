import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";

interface Endpoint {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

/** Parses `host:port;[v6]:port;/path/to.sock`. */
export function parseInterfaces(interfaces: string): Endpoint[] {
  return interfaces
    .split(";")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text);
      return match === null ? { path: text } : { host: match[1] ?? "", port: Number(match[2]) };
    });
}

/** Listening sockets that can be closed and opened again, and the connections that came in by them. */
export class Listeners {
  readonly #onSocket: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  #servers: Server[] = [];

  constructor(onSocket: (socket: Socket) => void) {
    this.#onSocket = onSocket;
  }

  /** Listens on each interface of a list; rejects if one of them is taken. */
  async listen(interfaces: string): Promise<void> {
    for (const endpoint of parseInterfaces(interfaces)) this.#servers.push(await this.#open(endpoint));
  }

  /** Refuses new connections from now on; those that are open stay. */
  stopListening(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }

  /** Refuses new connections and drops the open ones. */
  async close(): Promise<void> {
    const closing = this.#servers.splice(0).map((server) => {
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closing);
  }

  #open(endpoint: Endpoint): Promise<Server> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      this.#onSocket(socket);
    });
    if (endpoint.path !== undefined) rmSync(endpoint.path, { force: true });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(endpoint, () => resolve(server.off("error", reject)));
    });
  }
}
