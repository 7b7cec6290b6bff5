import { createHash } from "node:crypto";
import { ConnectError } from "../errors.ts";
import type { Trial } from "./host-trust.ts";
import { type HostNames, keyType } from "./known-hosts.ts";
import type { Login } from "./ssh-auth.ts";
import type { LinkError } from "./ssh-link.ts";

/** Whom an error speaks of. */
export interface Reached {
  /** The inventory's name of the host that the connection is for. */
  readonly target: string;
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** The hops before this one, as `user@host:port`. */
  readonly via: readonly string[];
  readonly names: HostNames;
  readonly knownHostsFiles: readonly string[];
}

/** What was found on the way. */
export interface Attempted {
  readonly trial: Trial;
  readonly login: Login;
  readonly passedOver: readonly string[];
}

/** Where the system's ssh(1) can do what the built-in transport cannot. */
export const USE_OPENSSH = "set kb_connection: openssh for this host, or use --connection openssh";

/** Why a connection failed, in words that say what to do. */
export function explain(reached: Reached, error: LinkError, { trial, login, passedOver }: Attempted): ConnectError {
  const at = `${reached.user}@${reached.host}:${reached.port}`;
  const { refused } = trial;
  if (refused !== undefined) return explainHostKey(reached, refused, error);
  const make = (message: string, detail: string, hint: string): ConnectError =>
    new ConnectError(message, {
      host: reached.target,
      detail: [detail, ...through(reached)].join("\n"),
      hint,
      cause: error,
    });
  if (/no matching/i.test(error.message)) {
    return make(`${at} speaks no algorithm that the built-in ssh knows`, error.message, USE_OPENSSH);
  }
  if (/not allowed at this time/i.test(error.greeting)) {
    return make(
      `${at} turns this machine away for a while`,
      error.greeting,
      "its sshd punishes failed logins (PerSourcePenalties): wait, find out what failed before, or exempt this address",
    );
  }
  if (/MaxStartups/i.test(error.greeting)) {
    return make(
      `${at} takes no more logins at once`,
      error.greeting,
      "raise MaxStartups in its sshd_config, or use --forks",
    );
  }
  if (error.stage === "authentication") return make(...explainLogin(at, error, login, passedOver));
  if (/^the bastion forbids/.test(error.message)) {
    return make(
      `cannot connect to ${reached.host}:${reached.port}`,
      error.message,
      "set AllowTcpForwarding yes (and PermitOpen) in the bastion's sshd_config",
    );
  }
  if (error.stage === "connect") {
    return make(
      `cannot connect to ${reached.host}:${reached.port}`,
      error.message,
      `is the host up, and does this work: ${sshLine(reached)}`,
    );
  }
  const detail = error.greeting === "" ? error.message : `${error.message}; it said: ${error.greeting}`;
  return make(`cannot log in to ${at}`, detail, `does this work: ${sshLine(reached)}`);
}

function explainLogin(
  at: string,
  error: LinkError,
  { tried, accepted }: Login,
  passedOver: readonly string[],
): [string, string, string] {
  const tries = tried.length === 0 ? "there was nothing to try" : `tried: ${tried.join(", ")}`;
  const takes = accepted.length === 0 ? [] : [`the host takes: ${accepted.join(", ")}`];
  const over = passedOver.map((line) => `passed over: ${line}`);
  const asksPassword = accepted.some((method) => /password|keyboard/.test(method));
  const gavePassword = tried.some((method) => /^(?:password|keyboard)/.test(method));
  if (/authentication methods failed|too many/i.test(error.message)) {
    const what = gavePassword
      ? "refused the password"
      : tried.length === 0
        ? "needs a key or a password"
        : "refused every key";
    const hint =
      asksPassword && !gavePassword
        ? "name a key with --private-key, or give the password: ansible_password, or --ask-pass"
        : gavePassword
          ? "check ansible_password"
          : "name a key with --private-key; one with a certificate or on a security key needs --connection openssh";
    return [`${at} ${what}`, [tries, ...takes, ...over].join("\n"), hint];
  }
  return [
    `cannot log in to ${at}`,
    [error.message, tries, ...over].join("\n"),
    "look at the host's own log: journalctl -u ssh",
  ];
}

/** A command line that tries the same by hand. */
export function sshLine({ user, host, port, via }: Reached): string {
  const jump = via.length === 0 ? "" : ` -J ${via.join(",")}`;
  return `ssh${jump}${port === 22 ? "" : ` -p ${port}`} ${user}@${host} true`;
}

function through({ via }: Reached): readonly string[] {
  return via.length === 0 ? [] : [`through ${via.join(", ")}`];
}

function explainHostKey(
  reached: Reached,
  { verdict, key }: NonNullable<Trial["refused"]>,
  cause: LinkError,
): ConnectError {
  const { names, knownHostsFiles, port, host } = reached;
  const print = `${keyType(key)} SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
  const make = (message: string, detail: string, hint: string): ConnectError =>
    new ConnectError(`the host key of ${names.name} ${message}`, {
      host: reached.target,
      detail: [`it has ${print}; ${detail}`, ...through(reached)].join("\n"),
      hint,
      cause,
    });
  const file = knownHostsFiles[0] ?? "~/.ssh/known_hosts";
  switch (verdict.kind) {
    case "known":
    case "unknown": {
      const scan = `ssh-keyscan -p ${port} ${host} >> ${file}`;
      return make(
        "is unknown",
        `looked in ${knownHostsFiles.join(" and ")}`,
        `compare it with the host's own, then: ${scan} (or --host-keys accept-new)`,
      );
    }
    case "authority":
      return make(
        "has to be certified, and the built-in ssh knows no certificates",
        `line ${verdict.line} of ${verdict.file} names a certificate authority`,
        USE_OPENSSH,
      );
    case "revoked":
      return make("is revoked", `line ${verdict.line} of ${verdict.file} says so`, "find out why before anything else");
    case "changed":
      return make(
        "HAS CHANGED: somebody may be in between",
        `line ${verdict.line} of ${verdict.file} says otherwise`,
        `if the host was made anew, and only then: ssh-keygen -R '${names.name}' -f ${verdict.file}`,
      );
  }
}
