import net from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { LinkError, type SshLink } from "./ssh-link.ts";

const CHANNEL_ATTEMPTS = 5;

/** RFC 4254, section 5.1. */
const PROHIBITED = 1;
const RESOURCE_SHORTAGE = 4;

/** A TCP connection for ssh to be spoken on. @throws LinkError */
export function openSocket(host: string, port: number, timeoutMs: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    // ssh2 leaves Nagle's algorithm on; set before the handshake it is 40 ms a message less.
    const socket = net.connect({ host, port, noDelay: true });
    const refuse = (reason: string, cause?: unknown): void => {
      socket.destroy();
      reject(new LinkError(reason, "connect", "", cause));
    };
    const timer = setTimeout(() => refuse(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    socket.once("error", (cause) => {
      clearTimeout(timer);
      refuse(cause.message, cause);
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

/** A bastion that is short of something for a moment is asked again; what it forbids or cannot reach is not. @throws LinkError */
export async function openThrough(bastion: SshLink, host: string, port: number): Promise<Duplex> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bastion.forward(host, port);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const why = cause instanceof Error && "reason" in cause ? cause.reason : undefined;
      if (attempt >= CHANNEL_ATTEMPTS || why !== RESOURCE_SHORTAGE) {
        throw new LinkError(why === PROHIBITED ? `the bastion forbids it (${reason})` : reason, "connect", "", cause);
      }
      await delay(50 * 2 ** attempt);
    }
  }
}
