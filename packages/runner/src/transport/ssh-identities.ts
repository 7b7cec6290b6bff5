import { homedir } from "node:os";
import { join } from "node:path";
import type { ParsedKey } from "ssh2";
import { ConnectError } from "../errors.ts";
import { type AgentKey, listAgentKeys } from "./ssh-agent.ts";
import { type AskPassphrase, type KeyFile, readKeyFile, unlockKey } from "./ssh-key-file.ts";

const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

/**
 * sshd's MaxAuthTries is 6, and it hangs up at the sixth failure; a password needs one, too. Trying every key of a full
 * agent would also look like an attack (PerSourcePenalties).
 */
const MAX_REFUSALS = 5;

/** A key that is offered to a host. */
export interface Offer {
  readonly key: ParsedKey;
  /** Set for a key that stays in an agent. */
  readonly agent?: AgentKey["agent"];
  /** As a person knows it: its file, or the agent's comment. */
  readonly label: string;
}

/** Which keys a host may be offered. */
export interface Wanted {
  /** For errors: the inventory's name of the host. */
  readonly host: string;
  /** The one key that an inventory or the command line names: before all others. */
  readonly named: string | undefined;
  /** Keys that `~/.ssh/config` names; undefined for the usual files. */
  readonly configured: readonly string[] | undefined;
  readonly identitiesOnly: boolean;
  readonly agent: string | undefined;
}

/** The keys to offer, and what could not be used. */
export interface Offers {
  readonly offers: readonly Offer[];
  /** Why a key was left out, for the error of a host that refuses all. */
  readonly passedOver: readonly string[];
}

/** The private keys of a run: each file is read and opened once, each agent is asked once. */
export class Identities {
  readonly #ask: AskPassphrase | undefined;
  readonly #files = new Map<string, Promise<KeyFile>>();
  readonly #opened = new Map<string, Promise<ParsedKey | undefined>>();
  readonly #agents = new Map<string, Promise<readonly AgentKey[]>>();

  constructor(ask: AskPassphrase | undefined) {
    this.#ask = ask;
  }

  /**
   * The keys for a host, in the order in which they are offered: named ones, then the agent's, then the usual files.
   * @throws ConnectError where the key that was named cannot be used
   */
  async offersFor(wanted: Wanted): Promise<Offers> {
    const held = wanted.agent === undefined ? [] : await this.#listAgent(wanted.agent);
    const offers: Offer[] = [];
    const passedOver: string[] = [];
    const add = (offer: Offer): void => {
      if (!offers.some(({ key }) => key.getPublicSSH().equals(offer.key.getPublicSSH()))) offers.push(offer);
    };
    if (wanted.named !== undefined) add(await this.#named(wanted.named, held, wanted.host));
    for (const file of wanted.configured ?? []) {
      const offer = await this.#fromFile(file, held, true);
      if ("key" in offer) add(offer);
      else passedOver.push(`${file}: ${offer.why}`);
    }
    if (!wanted.identitiesOnly) {
      for (const { key, agent } of held) add({ key, agent, label: `${key.comment || key.type} (agent)` });
    }
    if (wanted.configured === undefined) {
      for (const file of DEFAULT_KEYS.map((name) => join(homedir(), ".ssh", name))) {
        // A usual key that is locked is not worth a question where there is something else to try.
        const offer = await this.#fromFile(file, held, offers.length === 0);
        if ("key" in offer) add(offer);
        else if (offer.why !== "missing") passedOver.push(`${file}: ${offer.why}`);
      }
    }
    return withinTries(offers, passedOver);
  }

  async #named(file: string, held: readonly AgentKey[], host: string): Promise<Offer> {
    const offer = await this.#fromFile(file, held, true);
    if ("key" in offer) return offer;
    throw new ConnectError(`the private key ${file} cannot be used: ${offer.why}`, {
      host,
      hint: "check --private-key, or ansible_ssh_private_key_file",
    });
  }

  async #fromFile(file: string, held: readonly AgentKey[], mayAsk: boolean): Promise<Offer | { why: string }> {
    const read = await this.#read(file);
    if (read.kind === "key") return { key: read.key, label: file };
    if (read.kind !== "locked") return { why: read.why };
    const { publicKey } = read;
    const inAgent = publicKey && held.find(({ key }) => key.getPublicSSH().equals(publicKey));
    if (inAgent !== undefined) return { ...inAgent, label: `${file} (agent)` };
    const key = mayAsk || this.#opened.has(file) ? await this.#open(file, read.text) : undefined;
    return key === undefined ? { why: "encrypted, and nobody gave its passphrase" } : { key, label: file };
  }

  #read(file: string): Promise<KeyFile> {
    return once(this.#files, file, () => readKeyFile(file));
  }

  #open(file: string, text: Buffer): Promise<ParsedKey | undefined> {
    const ask = this.#ask;
    if (ask === undefined) return Promise.resolve(undefined);
    return once(this.#opened, file, () => unlockKey(file, text, ask));
  }

  #listAgent(socket: string): Promise<readonly AgentKey[]> {
    return once(this.#agents, socket, () => listAgentKeys(socket));
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

/** ssh2 offers an RSA key once by each hash, and each is a failure to sshd. */
function withinTries(offers: readonly Offer[], passedOver: readonly string[]): Offers {
  let refusals = 0;
  const kept = offers.filter(({ key }) => {
    refusals += key.type === "ssh-rsa" ? 2 : 1;
    return refusals <= MAX_REFUSALS;
  });
  const dropped = offers.filter((offer) => !kept.includes(offer));
  const why = "not tried: hosts hang up after a few keys; name the right one";
  return { offers: kept, passedOver: [...passedOver, ...dropped.map(({ label }) => `${label}: ${why}`)] };
}
