import ssh2, { type IdentityCallback, type ParsedKey, type SignCallback, type SigningRequestOptions } from "ssh2";

/** An agent that shows one of its keys and hides the others: each key is offered, and counted, by itself. */
class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: ssh2.OpenSSHAgent;
  readonly #key: ParsedKey;

  constructor(agent: ssh2.OpenSSHAgent, key: ParsedKey) {
    super();
    this.#agent = agent;
    this.#key = key;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(undefined, [this.#key]);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    if (typeof options === "function") this.#agent.sign(key, data, {}, options);
    else this.#agent.sign(key, data, options, done);
  }
}

/** A key that an agent holds. */
export interface AgentKey {
  readonly key: ParsedKey;
  readonly agent: ssh2.BaseAgent<ParsedKey>;
}

/** The keys that an agent holds, of the types that ssh2 can use; none where no agent answers. */
export function listAgentKeys(socket: string): Promise<readonly AgentKey[]> {
  const agent = new ssh2.OpenSSHAgent(socket);
  return new Promise((resolve) => {
    agent.getIdentities((error, keys = []) => {
      if (error) return resolve([]);
      const usable = keys.filter((key): key is ParsedKey => !(key instanceof Error) && "getPublicSSH" in key);
      resolve(usable.map((key) => ({ key, agent: new OneKeyAgent(agent, key) })));
    });
  });
}
