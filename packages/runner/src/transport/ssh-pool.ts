import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { ConnectError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { HandshakeGate } from "./handshake-gate.ts";
import { HostTrust, type TrustPolicy } from "./host-trust.ts";
import { hostNames } from "./known-hosts.ts";
import { makeLogin } from "./ssh-auth.ts";
import type { SshSettings } from "./ssh-config.ts";
import { explain, type Reached } from "./ssh-errors.ts";
import { Identities } from "./ssh-identities.ts";
import type { AskPassphrase } from "./ssh-key-file.ts";
import { LinkError, SshLink } from "./ssh-link.ts";
import { openSocket, openThrough } from "./ssh-stream.ts";

/** One machine on the way to a host: a bastion, or the host itself. */
export interface Hop {
  readonly user: string;
  readonly settings: SshSettings;
  readonly policy: TrustPolicy;
  /** The key that an inventory or the command line names. */
  readonly namedKey: string | undefined;
  readonly password: Secret | undefined;
}

/** A connection that is used together with others. */
export interface Lease {
  readonly link: SshLink;
  release(): Promise<void>;
}

/** What a pool asks a person. */
export interface Questions {
  readonly passphrase: AskPassphrase | undefined;
  readonly answer: ((question: string) => Promise<Secret | undefined>) | undefined;
}

interface Entry {
  readonly link: Promise<SshLink>;
  users: number;
  /** Whether other connections go through it: it then outlives the last of them for a moment. */
  hop: boolean;
}

const CONNECT_MS = 15_000;
/** A bastion between two hosts that come one after the other. */
const REST_MS = 2_000;
/** Attempts at a sshd that hangs up before it has said who it is. */
const ATTEMPTS = 7;
const PENALTY_PAUSE_MS = 6_000;
/** Names of one machine on one connection; each takes up to two sessions. */
const SHARED_BY = 4;

/** The ssh connections of a run: one a machine, whoever uses it, as itself or as a way to others. */
export class SshPool {
  readonly #entries = new Map<string, Entry>();
  readonly #gates = new Map<string, HandshakeGate>();
  readonly #trust = new HostTrust();
  readonly #identities: Identities;
  readonly #questions: Questions;
  readonly #timeoutMs: number | undefined;

  constructor(questions: Questions, timeoutMs: number | undefined) {
    this.#identities = new Identities(questions.passphrase);
    this.#questions = questions;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The connection to the last of these hops, through those before it.
   * @param target the inventory's name of the host, for errors
   * @throws ConnectError
   */
  async lease(route: readonly Hop[], target: string, asHop = false): Promise<Lease> {
    const key = this.#placeFor(route, asHop);
    const entry = this.#entries.get(key) ?? this.#open(key, route, target);
    entry.users += 1;
    entry.hop ||= asHop;
    const link = await entry.link.catch((error: unknown) => {
      entry.users -= 1;
      throw asHop ? throughBastion(route, target, error) : saidOf(target, error);
    });
    if (link.lost === undefined) {
      link.rest(false);
      return { link, release: once(() => this.#release(key, entry, link)) };
    }
    this.#forget(key, entry);
    return this.lease(route, target, asHop);
  }

  /** Names of one machine share a connection, as many as its MaxSessions (10 unless set) surely takes. */
  #placeFor(route: readonly Hop[], asHop: boolean): string {
    const key = route.map(keyOf).join(" ");
    if (asHop) return key;
    for (let number = 1; ; number += 1) {
      const place = number === 1 ? key : `${key} #${number}`;
      const entry = this.#entries.get(place);
      if (entry === undefined || entry.hop || entry.users < SHARED_BY) return place;
    }
  }

  #open(key: string, route: readonly Hop[], target: string): Entry {
    const entry: Entry = { link: this.#connect(route, target), users: 0, hop: false };
    this.#entries.set(key, entry);
    // A bastion that refuses us is not asked again for each of a hundred hosts: the answer stands for a moment.
    entry.link.catch(() => void setTimeout(() => this.#forget(key, entry), REST_MS).unref());
    return entry;
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  async #release(key: string, entry: Entry, link: SshLink): Promise<void> {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (!entry.hop) {
      this.#forget(key, entry);
      return link.close();
    }
    link.rest(true);
    const timer = setTimeout(() => {
      if (entry.users > 0) return;
      this.#forget(key, entry);
      void link.close();
    }, REST_MS);
    timer.unref();
  }

  async #connect(route: readonly Hop[], target: string): Promise<SshLink> {
    const hop = route.at(-1);
    if (hop === undefined) throw new ConnectError("there is nowhere to connect to", { host: target });
    const before = route.slice(0, -1);
    const bastion = before.length === 0 ? undefined : await this.lease(before, target, true);
    try {
      const link = await this.#retrying(hop, before, target, bastion?.link);
      return bastion === undefined ? link : onceClosed(link, bastion);
    } catch (error) {
      await bastion?.release();
      throw error;
    }
  }

  /** Tries again where the sshd hung up before it said who it is: it has too many logins under way. */
  async #retrying(hop: Hop, before: readonly Hop[], target: string, bastion: SshLink | undefined): Promise<SshLink> {
    const gate = this.#gateOf([...before, hop]);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await gate.pass(() => this.#attempt(hop, before, target, bastion));
      if (outcome instanceof SshLink) return outcome;
      const { error, explained } = outcome;
      if (!isTurnedAway(error) || attempt >= ATTEMPTS) throw explained;
      gate.narrow();
      const punished = /not allowed at this time/i.test(error.greeting);
      await delay((punished ? PENALTY_PAUSE_MS : 100 * 2 ** attempt) * (0.75 + Math.random() / 2));
    }
  }

  async #attempt(
    hop: Hop,
    before: readonly Hop[],
    target: string,
    bastion: SshLink | undefined,
  ): Promise<SshLink | { readonly error: LinkError; readonly explained: ConnectError }> {
    const { settings, user, policy, namedKey, password } = hop;
    const { host, port } = settings;
    const names = hostNames(host, port, settings.hostKeyAlias);
    const trial = await this.#trust.trial(names, policy);
    const { offers, passedOver } = await this.#identities.offersFor({
      host: target,
      named: namedKey,
      configured: settings.identityFiles,
      identitiesOnly: settings.identitiesOnly,
      agent: settings.agent,
    });
    const login = makeLogin({ user, offers, password, answer: this.#questions.answer });
    const reached: Reached = {
      target,
      user,
      host,
      port,
      via: before.map(nameOf),
      names,
      knownHostsFiles: policy.files,
    };
    const handshakeMs = settings.connectTimeoutMs ?? this.#timeoutMs ?? CONNECT_MS;
    const openStream = (): Promise<Duplex> =>
      bastion === undefined ? openSocket(host, port, handshakeMs) : openThrough(bastion, host, port);
    try {
      const { keepalive, algorithms } = settings;
      const link = await SshLink.open({ user, openStream, trial, login, handshakeMs, keepalive, algorithms });
      await trial.remember();
      return link;
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      return { error, explained: explain(reached, error, { trial, login, passedOver }) };
    }
  }

  #gateOf(route: readonly Hop[]): HandshakeGate {
    const key = route.map(({ settings }) => `${settings.host}:${settings.port}`).join(" ");
    const gate = this.#gates.get(key) ?? new HandshakeGate();
    this.#gates.set(key, gate);
    return gate;
  }
}

/** The same machine by the same user and key is the same connection. */
function keyOf({ user, settings, namedKey }: Hop): string {
  return JSON.stringify([user, settings.host, settings.port, settings.hostKeyAlias, namedKey]);
}

function nameOf({ user, settings }: Hop): string {
  return `${user}@${settings.host}${settings.port === 22 ? "" : `:${settings.port}`}`;
}

function once(release: () => Promise<void>): () => Promise<void> {
  let released: Promise<void> | undefined;
  return () => {
    released ??= release();
    return released;
  };
}

/** The way through a bastion is given back when what goes through it is over. */
function onceClosed(link: SshLink, bastion: Lease): SshLink {
  void link.closed.then(() => bastion.release());
  return link;
}

function isTurnedAway({ stage, message, greeting }: LinkError): boolean {
  if (stage !== "handshake") return false;
  return (
    /MaxStartups|not allowed at this time/i.test(greeting) ||
    /lost before handshake|ECONNRESET|closed the/i.test(message)
  );
}

/** Two hosts of an inventory may be one machine: each is told of the failure by its own name. */
function saidOf(target: string, error: unknown): unknown {
  if (!(error instanceof ConnectError) || error.place.host === target) return error;
  return new ConnectError(error.message, { host: target, detail: error.detail, hint: error.hint, cause: error });
}

function throughBastion(route: readonly Hop[], target: string, error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error;
  const bastion = route.at(-1);
  return new ConnectError(
    `cannot get through ${bastion === undefined ? "the bastion" : nameOf(bastion)}: ${error.message}`,
    {
      host: target,
      detail: error.detail,
      hint: error.hint,
      cause: error,
    },
  );
}
