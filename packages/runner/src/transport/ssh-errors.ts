import { createHash } from "node:crypto";
import { ConnectError } from "../errors.ts";
import { type HostKeyVerdict, keyType, knownHostName } from "./known-hosts.ts";
import type { ReachedTarget } from "./ssh.ts";

/** Why a connection failed, in words that say what to do. */
export function explain(
  target: ReachedTarget,
  cause: Error,
  verdict: HostKeyVerdict | undefined,
  key: Buffer | undefined,
  files: readonly string[],
  hasKeys: boolean,
): ConnectError {
  const at = `${target.user}@${target.address}:${target.port}`;
  const refused = verdict !== undefined && verdict.kind !== "known";
  if (refused && /verif|handshake|host.?key/i.test(cause.message))
    return explainHostKey(target, verdict, key, files, cause);
  if (/authentication methods failed/i.test(cause.message)) {
    return new ConnectError(`${at} refused every key`, {
      host: target.name,
      detail: hasKeys ? cause.message : "no private key was found and no agent answered",
      hint: `name a key with --private-key, and check that ssh ${target.user}@${target.address} works with it`,
      cause,
    });
  }
  return new ConnectError(`cannot log in to ${at}`, {
    host: target.name,
    detail: cause.message,
    hint: `does this work: ssh -p ${target.port} ${target.user}@${target.address} true`,
    cause,
  });
}

function explainHostKey(
  target: ReachedTarget,
  verdict: Exclude<HostKeyVerdict, { kind: "known" }>,
  key: Buffer | undefined,
  files: readonly string[],
  cause: Error,
): ConnectError {
  const name = knownHostName(target.address, target.port);
  const print =
    key === undefined
      ? ""
      : `${keyType(key)} SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
  const places = files.join(" and ");
  if (verdict.kind === "unknown") {
    return new ConnectError(`the host key of ${name} is unknown`, {
      host: target.name,
      detail: `it has ${print}; looked in ${places}`,
      hint: `compare it with the host's own, then: ssh-keyscan -p ${target.port} ${target.address} >> ${files[0]} (or --host-keys accept-new)`,
      cause,
    });
  }
  const what = verdict.kind === "revoked" ? "is revoked" : "HAS CHANGED: somebody may be in between";
  return new ConnectError(`the host key of ${name} ${what}`, {
    host: target.name,
    detail: `it has ${print}; line ${verdict.line} of ${places} says otherwise`,
    hint: `if the host was made anew, and only then: ssh-keygen -R '${name}' -f ${files[0]}`,
    cause,
  });
}
