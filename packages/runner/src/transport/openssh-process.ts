import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Readable } from "node:stream";

/** Reads up to the end of the mark's line, and leaves what follows. */
export function pastMark(stream: Readable, mark: string): Promise<void> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const look = (): void => {
      for (let chunk: Buffer | null = stream.read(); chunk !== null; chunk = stream.read()) {
        seen = Buffer.concat([seen, chunk]);
        const at = seen.indexOf(`${mark}\n`);
        if (at < 0) continue;
        stream.off("readable", look);
        const rest = seen.subarray(at + mark.length + 1);
        if (rest.length > 0) stream.unshift(rest);
        resolve();
        return;
      }
    };
    stream.on("readable", look);
  });
}

/** Ends an ssh, by force after two seconds. */
export async function endOf(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
    child.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill();
  });
}

/** ssh's own last words; what the session wrote to standard error stands between them. */
export function lossIn(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const own =
    lines.findLast((line) => SSH_SAYS.test(line)) ?? lines.findLast((line) => line !== "" && !line.startsWith("@@"));
  return own ?? "ssh lost the connection";
}

const SSH_SAYS =
  /^(?:ssh: |kex_|client_loop|Timeout, server|Connection |Shared connection|Read from|.*Permission denied \(|Host key|No .* host key|Unable to negotiate|Bad |Received disconnect|Too many authentication)/;
