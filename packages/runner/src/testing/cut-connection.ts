import { PassThrough, type Readable } from "node:stream";
import { makeConnect } from "../transport/connect.ts";
import type { Connect, RemoteProcess } from "../transport/transport.ts";

/** Where a connection is lost: after this many bytes in one direction. */
export interface Cut {
  readonly direction: "to the host" | "from the host";
  readonly afterBytes: number;
  /** Whether the shell on the host is killed at that moment, too. */
  readonly killed?: boolean;
}

/** A way in whose first process is cut off, as by a network that goes away; and what went through it. */
export interface CutConnection {
  readonly connect: Connect;
  /** Bytes so far. */
  readonly passed: { toHost: number; fromHost: number };
  /** Places in what came from the host at which a mark ends: the boundaries of frames. */
  readonly boundaries: number[];
  readonly hasCut: () => boolean;
}

/** The way to this machine, cut off at one place; `undefined` counts only. */
export function cutConnection(cut: Cut | undefined): CutConnection {
  const passed = { toHost: 0, fromHost: 0 };
  const boundaries: number[] = [];
  let isCut = false;
  const real = makeConnect();
  const connect: Connect = async (target) => {
    const connection = await real(target);
    const start = async (command: string): Promise<RemoteProcess> => {
      const child = await connection.start(command);
      let lose: (reason: string) => void = () => {};
      const lost = new Promise<string>((resolve) => {
        lose = resolve;
      });
      const toHost = new PassThrough();
      const fromHost = new PassThrough();
      const errors = new PassThrough();
      const cutNow = (): void => {
        if (isCut) return;
        isCut = true;
        if (cut?.killed === true) child.close();
        // Both ends see what sshd shows: the host's end of input, and broken pipes.
        child.stdin.end();
        for (const stream of [child.stdout, child.stderr] as readonly Readable[]) stream.destroy();
        fromHost.end();
        errors.end();
        lose("the connection was cut");
      };
      toHost.on("data", (chunk: Buffer) => {
        if (isCut) return;
        const left = cut?.direction === "to the host" ? cut.afterBytes - passed.toHost : Number.POSITIVE_INFINITY;
        child.stdin.write(chunk.subarray(0, Math.max(0, left)));
        passed.toHost += chunk.length;
        if (chunk.length >= left) cutNow();
      });
      toHost.on("end", () => child.stdin.end());
      child.stdout.on("data", (chunk: Buffer) => {
        if (isCut) return;
        const left = cut?.direction === "from the host" ? cut.afterBytes - passed.fromHost : Number.POSITIVE_INFINITY;
        for (const match of chunk.toString("latin1").matchAll(/\n@@[0-9a-f]{32} [^\n]*\n/g)) {
          boundaries.push(passed.fromHost + match.index + match[0].length);
        }
        fromHost.write(chunk.subarray(0, Math.max(0, left)));
        passed.fromHost += chunk.length;
        if (chunk.length >= left) cutNow();
      });
      child.stdout.on("end", () => fromHost.end());
      child.stderr.on("data", (chunk: Buffer) => void (isCut || errors.write(chunk)));
      child.stderr.on("end", () => errors.end());
      const ended = Promise.race([child.ended, lost]);
      return { stdin: toHost, stdout: fromHost, stderr: errors, ended, close: () => void child.stdin.end() };
    };
    return { ...connection, start, close: () => connection.close() };
  };
  return { connect, passed, boundaries, hasCut: () => isCut };
}
