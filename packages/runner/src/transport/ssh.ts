import { userInfo } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { ClientChannel } from "ssh2";
import { ConnectError } from "../errors.ts";
import type { SshOptions } from "./connect.ts";
import { SshConfig, type SshSettings } from "./ssh-config.ts";
import { USE_OPENSSH } from "./ssh-errors.ts";
import { type Hop, type Lease, SshPool } from "./ssh-pool.ts";
import type { Connection, RemoteProcess, Target } from "./transport.ts";

/** A chain of bastions that name each other has no end. */
const MAX_HOPS = 8;
const CHANNEL_ATTEMPTS = 6;

/** The built-in ssh transport: all ssh connections of a run. */
export class SshTransport {
  readonly #options: SshOptions;
  readonly #config: SshConfig;
  readonly #pool: SshPool;

  constructor(options: SshOptions) {
    this.#options = options;
    this.#config = new SshConfig({ configFile: options.configFile });
    this.#pool = new SshPool({ passphrase: options.askPassphrase, answer: options.ask }, options.timeoutMs);
  }

  /** @throws ConnectError */
  async connect(target: Target): Promise<Connection> {
    const route = await this.#route(target);
    const lease = await this.#pool.lease(route, target.name);
    return new SshConnection(lease, route.at(-1)?.user ?? "root", target.name);
  }

  async #route(target: Target): Promise<readonly Hop[]> {
    const { address: host, port, user, sshArgs: args = [] } = target;
    const settings = await this.#settings({ host, port, user, args }, target.name);
    const own: Hop = {
      user: settings.user ?? "root",
      settings,
      policy: this.#policy(settings),
      namedKey: target.privateKeyFile,
      password: target.password,
    };
    return [...(await this.#hops(settings.proxyJump, target, 0)), own];
  }

  /** The last of several bastions is reached through the others; the first by what its own configuration says. */
  async #hops(jump: string | undefined, target: Target, depth: number): Promise<readonly Hop[]> {
    const specs = (jump ?? "").split(",").filter((spec) => spec.trim() !== "");
    if (specs.length === 0) return [];
    if (depth + specs.length > MAX_HOPS) {
      throw new ConnectError(`ProxyJump leads through more than ${MAX_HOPS} hosts: ${jump}`, {
        host: target.name,
        hint: "do two hosts of ~/.ssh/config name each other? ProxyJump none ends a chain",
      });
    }
    const hops = await Promise.all(
      specs.map(async (spec): Promise<Hop> => {
        const { host, port, user } = parseJump(spec, target.name);
        const settings = await this.#settings({ host, port, user, args: [] }, target.name);
        return {
          // A jump host is ssh's notion: without a user it is entered as ssh would.
          user: settings.user ?? userInfo().username,
          settings,
          policy: this.#policy(settings),
          namedKey: this.#options.privateKeyFile,
          password: undefined,
        };
      }),
    );
    return [...(await this.#hops(hops[0]?.settings.proxyJump, target, depth + specs.length)), ...hops];
  }

  async #settings(asked: Parameters<SshConfig["settingsOf"]>[0], target: string): Promise<SshSettings> {
    let settings: SshSettings;
    try {
      settings = await this.#config.settingsOf(asked);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      const { message, detail, hint } = error;
      throw new ConnectError(message, { host: target, detail, hint, cause: error });
    }
    const foreign = [
      ["ProxyCommand", settings.proxyCommand],
      ["RevokedHostKeys", settings.revokedHostKeys],
    ].find(([, value]) => value !== undefined);
    if (foreign === undefined) return settings;
    throw new ConnectError(`the built-in ssh has no ${foreign[0]}, which the configuration of ${asked.host} asks for`, {
      host: target,
      detail: `${foreign[0]} ${foreign[1]}`,
      hint: USE_OPENSSH,
    });
  }

  /** Flags of the command line come before the configuration. */
  #policy({ hostKeys, knownHostsFiles }: SshSettings): Hop["policy"] {
    return {
      hostKeys: this.#options.hostKeys ?? hostKeys,
      files: this.#options.knownHostsFiles ?? knownHostsFiles,
    };
  }
}

/** `user@host:port`, `[v6]:port`, or `ssh://user@host:port`. @see https://man.openbsd.org/ssh_config.5#ProxyJump */
export function parseJump(
  spec: string,
  target: string,
): { readonly host: string; readonly port: number | undefined; readonly user: string | undefined } {
  const match = /^(?:ssh:\/\/)?(?:(.+)@)?(?:\[([^\]]+)\]|([^:[\]@]+))(?::(\d+))?\/?$/.exec(spec.trim());
  const host = match?.[2] ?? match?.[3];
  if (host !== undefined)
    return { host, port: match?.[4] === undefined ? undefined : Number(match[4]), user: match?.[1] };
  throw new ConnectError(`ProxyJump ${spec} is no host`, { host: target, hint: "write user@host:port" });
}

class SshConnection implements Connection {
  readonly user: string;
  readonly #lease: Lease;
  readonly #target: string;

  constructor(lease: Lease, user: string, target: string) {
    this.#lease = lease;
    this.user = user;
    this.#target = target;
  }

  async start(command: string): Promise<RemoteProcess> {
    // sshd counts a closed session until it has reaped it, so a refused channel may be had a moment later (MaxSessions).
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.#toProcess(await this.#lease.link.exec(command));
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        const refused = /open failed/i.test(message);
        if (attempt < CHANNEL_ATTEMPTS && refused) {
          await delay(25 * 2 ** attempt);
          continue;
        }
        throw new ConnectError("cannot open a channel on the connection", {
          host: this.#target,
          detail: message,
          hint: refused ? "MaxSessions in its sshd_config is too low for what is done here" : undefined,
          cause,
        });
      }
    }
  }

  close(): Promise<void> {
    return this.#lease.release();
  }

  #toProcess(channel: ClientChannel): RemoteProcess {
    const { link } = this.#lease;
    let reason: string | undefined;
    channel.once("exit", (code: number | null, signal?: string) => {
      reason = code === null ? `the remote shell got ${signal}` : `the remote shell ended with ${code}`;
    });
    const ended = new Promise<string>((resolve) =>
      channel.once("close", () => resolve(reason ?? link.lost ?? "the channel was closed")),
    );
    return { stdin: channel, stdout: channel, stderr: channel.stderr, ended, close: () => channel.close() };
  }
}
