import { type Connect, ConnectError, type Connection, type Target } from "@keybuzz/runner";

/** A way in that keeps each connection open from one run to the next, and connects anew where one was lost. */
export class HeldConnections {
  readonly #connect: Connect;
  readonly #open = new Map<string, Connection>();

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /** The connection to a target, lent: closing it leaves it open for the next run. */
  readonly connect: Connect = async (target) => {
    const known = this.#open.get(target.name) ?? (await this.#new(target));
    return {
      ...known,
      user: known.user,
      start: (command) => this.#start(target, command),
      close: async () => {},
    };
  };

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((connection) => connection.close()));
    this.#open.clear();
  }

  async #start(target: Target, command: string): ReturnType<Connection["start"]> {
    const known = this.#open.get(target.name) ?? (await this.#new(target));
    try {
      return await known.start(command);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      // It was lost while nobody used it: only now is that seen, and nothing has been done over it.
      this.#open.delete(target.name);
      await known.close();
      return (await this.#new(target)).start(command);
    }
  }

  async #new(target: Target): Promise<Connection> {
    const connection = await this.#connect(target);
    this.#open.set(target.name, connection);
    return connection;
  }
}
