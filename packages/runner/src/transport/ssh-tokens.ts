import { createHash } from "node:crypto";
import { homedir, hostname, userInfo } from "node:os";

/** What the `%` tokens of ssh_config(5) stand for. */
export interface Tokens {
  /** The host as it was asked for: `%n`. */
  readonly original: string;
  /** The host that is connected to: `%h`. */
  readonly host: string;
  readonly port: number;
  /** The user on the other side: `%r`. */
  readonly user: string;
  readonly hostKeyAlias?: string | undefined;
  readonly jump?: string | undefined;
}

/**
 * Puts values in the place of `~`, `%h` and `${NAME}`, as ssh(1) does for the names of files; `ssh -G` leaves that to
 * its reader. An unknown token stays as it is.
 * @see https://man.openbsd.org/ssh_config.5#TOKENS
 */
export function expandTokens(text: string, tokens: Tokens, env: NodeJS.ProcessEnv = process.env): string {
  const { username, uid } = userInfo();
  const values: Readonly<Record<string, string>> = {
    "%": "%",
    d: homedir(),
    h: tokens.host,
    i: String(uid),
    j: tokens.jump ?? "",
    k: tokens.hostKeyAlias ?? tokens.original,
    L: hostname().replace(/\..*$/, ""),
    l: hostname(),
    n: tokens.original,
    p: String(tokens.port),
    r: tokens.user,
    u: username,
  };
  const connection = [values["l"], tokens.host, tokens.port, tokens.user, tokens.jump].join("");
  return text
    .replace(/^~(?=\/|$)/, homedir())
    .replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole)
    .replace(/%(.)/g, (whole, token: string) =>
      token === "C" ? createHash("sha1").update(connection).digest("hex") : (values[token] ?? whole),
    );
}
