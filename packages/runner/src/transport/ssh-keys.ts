import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import ssh2, { type ConnectConfig } from "ssh2";
import { ConnectError } from "../errors.ts";
import type { ReachedTarget, SshOptions } from "./ssh.ts";

const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** A private key that can be used. */
export interface LoadedKey {
  readonly file: string;
  readonly key: Buffer;
  readonly passphrase?: string;
}

/** The key that the target names, or those that ssh(1) would try by default. */
export async function loadKeys(target: ReachedTarget, options: SshOptions): Promise<readonly LoadedKey[]> {
  const named = target.privateKeyFile;
  const files = named === undefined ? DEFAULT_KEYS.map((name) => join(homedir(), ".ssh", name)) : [named];
  const keys: LoadedKey[] = [];
  for (const file of files) {
    let key: Buffer;
    try {
      key = await readFile(file);
    } catch (cause) {
      if (named === undefined) continue;
      throw new ConnectError(`cannot read the private key ${file}`, {
        host: target.name,
        cause,
        hint: "check --private-key",
      });
    }
    const parsed = ssh2.utils.parseKey(key);
    if (!(parsed instanceof Error)) keys.push({ file, key });
    else if (/encrypted|passphrase/i.test(parsed.message)) {
      // A default key that is locked is not worth a question where an agent may hold it open.
      const agent = options.agent ?? process.env["SSH_AUTH_SOCK"];
      const passphrase = named === undefined && agent !== undefined ? undefined : await options.askPassphrase?.(file);
      if (passphrase !== undefined) keys.push({ file, key, passphrase: passphrase.reveal() });
    } else if (named !== undefined) {
      throw new ConnectError(`${file} is no private key that can be read`, {
        host: target.name,
        detail: parsed.message,
      });
    }
  }
  return keys;
}

type Authenticators = NonNullable<Extract<ConnectConfig["authHandler"], unknown[]>>;

/** Ways to log in, in the order in which they are tried: a key that was named before all others. */
export function authenticators(target: ReachedTarget, keys: readonly LoadedKey[], agent: string | undefined): Authenticators {
  const byKey = keys.map(({ key, passphrase }) => ({
    type: "publickey" as const,
    username: target.user,
    key,
    ...(passphrase === undefined ? {} : { passphrase }),
  }));
  const byAgent = agent === undefined ? [] : [{ type: "agent" as const, username: target.user, agent }];
  return target.privateKeyFile === undefined ? [...byAgent, ...byKey] : [...byKey, ...byAgent];
}
