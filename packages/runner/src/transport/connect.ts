import { connectLocal } from "./local.ts";
import type { SshOptions } from "./ssh.ts";
import type { Connect } from "./transport.ts";

export type { SshOptions };

/** The way in that a target asks for: ssh, or the controller itself. */
export function makeConnect(options: SshOptions = {}): Connect {
  return async (target) => {
    if (target.connection === "local") return connectLocal(target);
    // ssh2 takes a tenth of a second to load; a run that stays on this machine does not pay for it.
    const { connectSsh } = await import("./ssh.ts");
    return connectSsh(target, options);
  };
}
