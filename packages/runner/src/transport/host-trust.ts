import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { ConnectError } from "../errors.ts";
import { type HostKeyVerdict, type HostNames, KnownHosts, renderKnownHost } from "./known-hosts.ts";

/** How a host's key is judged. */
export interface TrustPolicy {
  readonly hostKeys: "strict" | "accept-new" | "off";
  /** Read all; a new key goes to the first. */
  readonly files: readonly string[];
}

/** One host's key, being judged. */
export interface Trial {
  /** The key types that can be checked, most wanted first; empty for no wish. */
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
  /** Judges the key that the server sent; called by ssh2 before anything is authenticated. */
  verify(key: Buffer): boolean;
  /** Why it was refused; undefined while it was not. */
  readonly refused: { readonly verdict: HostKeyVerdict; readonly key: Buffer } | undefined;
  /** Writes an accepted new key down. */
  remember(): Promise<void>;
}

/** The known_hosts files of a run, each read once; keys that are accepted on the way are known from then on. */
export class HostTrust {
  readonly #known = new Map<string, Promise<KnownHosts>>();
  #writing: Promise<unknown> = Promise.resolve();

  /** @throws ConnectError where a file is there and cannot be read: no key can be trusted then */
  async trial(names: HostNames, policy: TrustPolicy): Promise<Trial> {
    const known = await this.#read(policy);
    let seen: { verdict: HostKeyVerdict; key: Buffer } | undefined;
    const trusted = ({ kind }: HostKeyVerdict): boolean =>
      kind === "known" || policy.hostKeys === "off" || (policy.hostKeys === "accept-new" && kind === "unknown");
    return {
      algorithms: algorithmsOf(known.keyTypes(names)),
      verify(key) {
        seen = { verdict: known.check(names, key), key };
        return trusted(seen.verdict);
      },
      get refused() {
        return seen === undefined || trusted(seen.verdict) ? undefined : seen;
      },
      remember: async () => {
        if (policy.hostKeys !== "accept-new" || seen?.verdict.kind !== "unknown") return;
        await this.#remember(known, policy, names, seen.key);
      },
    };
  }

  async #read({ files, hostKeys }: TrustPolicy): Promise<KnownHosts> {
    const key = files.join("\n");
    // `off` looks at nothing, so that a broken file does no harm to hosts that are thrown away.
    if (hostKeys === "off") return new KnownHosts([]);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = Promise.all(files.map(async (file) => ({ file, text: await readKnownHosts(file) }))).then(
        (texts) => new KnownHosts(texts),
      );
      this.#known.set(key, known);
    }
    return known;
  }

  /** One after the other: two hosts of one name must not be written twice, nor two lines be mixed. */
  #remember(known: KnownHosts, { files }: TrustPolicy, names: HostNames, key: Buffer): Promise<void> {
    const [file] = files;
    if (file === undefined) return Promise.resolve();
    const written = this.#writing.then(async () => {
      if (known.check(names, key).kind !== "unknown") return;
      known.add(file, names, key);
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const start = (await endsInMidLine(file)) ? "\n" : "";
      await appendFile(file, `${start}${renderKnownHost(names, key)}`, { mode: 0o600 });
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }
}

async function readKnownHosts(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return "";
    throw new ConnectError(`cannot read ${file}, so no host key can be trusted`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: "make it readable, or name another with --known-hosts",
      cause,
    });
  }
}

async function endsInMidLine(file: string): Promise<boolean> {
  const text = await readKnownHosts(file);
  return text !== "" && !text.endsWith("\n");
}

const NAMES: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** A host has keys of several types, and only those of the known types can be checked. */
function algorithmsOf(types: readonly string[]): readonly ServerHostKeyAlgorithm[] {
  return [...new Set(types.flatMap((type) => NAMES[type] ?? []))];
}
