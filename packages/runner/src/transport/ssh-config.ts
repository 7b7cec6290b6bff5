import { execFile } from "node:child_process";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { ConnectError } from "../errors.ts";
import { type Asked, parseFallback } from "./ssh-config-fallback.ts";
import { type ConfigText, configFiles, readConfigText, saysSomething } from "./ssh-config-text.ts";
import { expandTokens } from "./ssh-tokens.ts";

/** What is asked of the configuration: a host, with what an inventory or a jump says of it. */
export type { Asked };

/** What `~/.ssh/config` and its like say of a host. */
export interface SshSettings {
  /** Where to connect. */
  readonly host: string;
  readonly port: number;
  /** Undefined where nobody names one. */
  readonly user: string | undefined;
  /** Key files that the configuration names; undefined where it leaves them to the defaults. */
  readonly identityFiles: readonly string[] | undefined;
  /** Only the named keys, whatever else the agent holds. */
  readonly identitiesOnly: boolean;
  /** Socket of the agent; undefined for none. */
  readonly agent: string | undefined;
  readonly certificateFiles: readonly string[];
  /** `user@host:port,...`, the first hop first. */
  readonly proxyJump: string | undefined;
  readonly proxyCommand: string | undefined;
  readonly knownHostsFiles: readonly string[];
  readonly revokedHostKeys: string | undefined;
  readonly hostKeyAlias: string | undefined;
  readonly hostKeys: "strict" | "accept-new" | "off";
  readonly connectTimeoutMs: number | undefined;
  readonly keepalive: { readonly intervalMs: number; readonly countMax: number };
  /** Algorithms that the configuration allows; undefined where it leaves them to the defaults. */
  readonly algorithms: AllowedAlgorithms | undefined;
}

/** Names of algorithms, as ssh(1) writes them. */
export interface AllowedAlgorithms {
  readonly kex: readonly string[];
  readonly cipher: readonly string[];
  readonly hmac: readonly string[];
  readonly serverHostKey: readonly string[];
}

/** How the configuration is found. */
export interface SshConfigOptions {
  /** In place of `~/.ssh/config` and `/etc/ssh/ssh_config`, as `ssh -F`; `none` for neither. */
  readonly configFile?: string | undefined;
  /** The program that is asked; `ssh` unless given. */
  readonly program?: string | undefined;
}

const ASK_MS = 10_000;
/** A fleet's worth of processes at once would only wait for each other. */
const PROGRAMS_AT_ONCE = 8;
const DEFAULT_KEEPALIVE = { intervalMs: 15_000, countMax: 3 };

/**
 * Reads what ssh(1) would do for a host. ssh itself is asked (`ssh -G`): it alone knows Include, Match and canonical names
 * for sure. Where there is no ssh, a parser reads the files, and runs nothing that `Match exec` names.
 */
export class SshConfig {
  readonly #options: SshConfigOptions;
  readonly #text: ConfigText;
  readonly #answers = new Map<string, Promise<SshSettings>>();
  readonly #limit = pLimit(PROGRAMS_AT_ONCE);

  constructor(options: SshConfigOptions = {}) {
    this.#options = options;
    this.#text = readConfigText(configFiles(options.configFile));
  }

  /** @throws ConnectError where the configuration has an error */
  settingsOf(asked: Asked): Promise<SshSettings> {
    const key = JSON.stringify([asked.host, asked.port, asked.user, asked.args]);
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#read(asked);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  async #read(asked: Asked): Promise<SshSettings> {
    if (!saysSomething(this.#text) && asked.args.length === 0) return toSettings(asked, new Map(), asked.user);
    const output = await this.#limit(() => this.#askSsh(asked));
    const fallback = (): ReadonlyMap<string, readonly string[]> => parseFallback(this.#text, asked);
    if (output === undefined) {
      const parsed = fallback();
      return toSettings(asked, parsed, asked.user ?? parsed.get("user")?.[0]);
    }
    const told = parseSshG(output);
    const user = told.get("user")?.[0];
    // ssh names our own user where nobody names one; for us that would be root.
    const named = user !== userInfo().username || this.#text.partial || fallback().has("user");
    return toSettings(asked, told, asked.user ?? (named ? user : undefined));
  }

  /** Undefined where there is no ssh. */
  #askSsh(asked: Asked): Promise<string | undefined> {
    const { configFile, program = "ssh" } = this.#options;
    const args = [
      ...(configFile === undefined ? [] : ["-F", configFile]),
      ...asked.args,
      ...(asked.port === undefined ? [] : ["-p", String(asked.port)]),
      ...(asked.user === undefined ? [] : ["-l", asked.user]),
      ...["-G", "--", asked.host],
    ];
    return new Promise((resolve, reject) => {
      const child = execFile(program, args, { timeout: ASK_MS }, (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        if ("code" in error && error.code === "ENOENT") return resolve(undefined);
        reject(
          new ConnectError(`ssh cannot make sense of its configuration for ${asked.host}`, {
            detail: stderr.trim() || error.message,
            hint: `look at: ssh -G ${asked.host}`,
            cause: error,
          }),
        );
      });
      child.stdin?.end();
    });
  }
}

/** The lines of `ssh -G`, by lower-case keyword; a keyword may come several times. */
export function parseSshG(output: string): ReadonlyMap<string, readonly string[]> {
  const told = new Map<string, string[]>();
  for (const line of output.split("\n")) {
    const [, keyword, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (keyword === undefined || value === undefined) continue;
    const key = keyword.toLowerCase();
    told.set(key, [...(told.get(key) ?? []), value]);
  }
  return told;
}

function toSettings(asked: Asked, told: ReadonlyMap<string, readonly string[]>, user: string | undefined): SshSettings {
  const one = (keyword: string): string | undefined => {
    const value = told.get(keyword)?.[0];
    return value === undefined || value.toLowerCase() === "none" ? undefined : value;
  };
  const host = one("hostname") ?? asked.host;
  const port = asked.port ?? Number(one("port") ?? 22);
  const hostKeyAlias = one("hostkeyalias");
  const tokens = { original: asked.host, host, port, user: user ?? "root", hostKeyAlias };
  const expand = (text: string): string => expandTokens(text, tokens);
  const seconds = Number(one("connecttimeout"));
  return {
    host,
    port,
    user,
    identityFiles: identityFiles(told.get("identityfile"))?.map(expand),
    identitiesOnly: isYes(one("identitiesonly")),
    agent: agentSocket(told.get("identityagent")?.[0], expand),
    certificateFiles: (told.get("certificatefile") ?? []).map(expand),
    proxyJump: one("proxyjump"),
    proxyCommand: one("proxycommand"),
    knownHostsFiles: knownHostsFiles(told).map(expand),
    revokedHostKeys: one("revokedhostkeys"),
    hostKeyAlias,
    hostKeys: hostKeyPolicy(one("stricthostkeychecking")),
    connectTimeoutMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
    keepalive: keepaliveOf(one("serveraliveinterval"), one("serveralivecountmax")),
    algorithms: told.has("kexalgorithms") ? algorithmsOf(told) : undefined,
  };
}

function isYes(value: string | undefined): boolean {
  return value !== undefined && /^(?:yes|true)$/i.test(value);
}

/** ssh's own list of defaults is no wish of anybody's. */
function identityFiles(files: readonly string[] | undefined): readonly string[] | undefined {
  if (files === undefined) return undefined;
  const named = files.filter((file) => file.toLowerCase() !== "none");
  return named.length > 0 && named.every((file) => /^~\/\.ssh\/id_\w+$/.test(file)) && named.length > 4
    ? undefined
    : named;
}

function agentSocket(value: string | undefined, expand: (text: string) => string): string | undefined {
  if (value?.toLowerCase() === "none") return undefined;
  const named = value === undefined || value === "SSH_AUTH_SOCK" ? "$SSH_AUTH_SOCK" : value;
  const socket = named.startsWith("$") && !named.startsWith("${") ? process.env[named.slice(1)] : expand(named);
  return socket === "" ? undefined : socket;
}

const KNOWN_HOSTS = {
  userknownhostsfile: [join(homedir(), ".ssh/known_hosts"), join(homedir(), ".ssh/known_hosts2")],
  globalknownhostsfile: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
} as const;

function knownHostsFiles(told: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return (["userknownhostsfile", "globalknownhostsfile"] as const).flatMap((keyword) => {
    const value = told.get(keyword)?.[0];
    if (value === undefined) return KNOWN_HOSTS[keyword];
    // ssh -G writes no quotes: a file name with a space cannot be told from two.
    return value.split(" ").filter((file) => file !== "" && file.toLowerCase() !== "none");
  });
}

/** `ask` is strict here: fifty hosts at once cannot ask. */
function hostKeyPolicy(value: string | undefined): SshSettings["hostKeys"] {
  switch (value?.toLowerCase()) {
    case "accept-new":
      return "accept-new";
    case "no":
    case "off":
    case "false":
      return "off";
    default:
      return "strict";
  }
}

/** ssh's default is no keepalive at all: a dead link would hold a run for ever. */
function keepaliveOf(interval: string | undefined, count: string | undefined): SshSettings["keepalive"] {
  const seconds = Number(interval ?? 0);
  if (!(seconds > 0)) return DEFAULT_KEEPALIVE;
  return { intervalMs: seconds * 1000, countMax: Number(count ?? DEFAULT_KEEPALIVE.countMax) };
}

function algorithmsOf(told: ReadonlyMap<string, readonly string[]>): AllowedAlgorithms {
  const list = (keyword: string): readonly string[] => (told.get(keyword)?.[0] ?? "").split(",").filter(Boolean);
  return {
    kex: list("kexalgorithms"),
    cipher: list("ciphers"),
    hmac: list("macs"),
    serverHostKey: list("hostkeyalgorithms"),
  };
}
