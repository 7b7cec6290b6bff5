import { randomBytes } from "node:crypto";
import type { Connection, Target } from "../transport/transport.ts";
import { startShell } from "./start-shell.ts";

const END_MS = 10_000;

/** Ends every process of the session that a process leads or is in; prints how many. All words are the shell's own. */
const END = `kb_session() { read -r kb_line <"$1" || return; kb_line=\${kb_line##*) }; set -- $kb_line; kb_sid=$4; }
kb_count=0
if kb_session "/proc/$KB_PID/stat" 2>/dev/null; then
  kb_ours=$kb_sid
  for kb_stat in /proc/[0-9]*/stat; do
    kb_session "$kb_stat" 2>/dev/null && [ "$kb_sid" = "$kb_ours" ] || continue
    kb_one=\${kb_stat%/stat}; kill -KILL "\${kb_one#/proc/}" && kb_count=$((kb_count + 1))
  done
fi
echo "ended $kb_count"; exit
`;

/**
 * Ends what a shell that does not answer any more has started, over a channel of its own. A second login under sudo is
 * made for it where the first was under sudo.
 *
 * @returns what came of it, for people
 */
export async function endSession(connection: Connection, target: Target, pid: number | undefined): Promise<string> {
  if (pid === undefined) return "nothing is known to run on the host";
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${END_MS / 1000} s`)), END_MS);
  });
  try {
    return await Promise.race([endNow(connection, target, pid), tooLong]);
  } catch (cause) {
    return `its processes could not be ended: ${cause instanceof Error ? cause.message : String(cause)}`;
  } finally {
    clearTimeout(timer);
  }
}

async function endNow(connection: Connection, target: Target, pid: number): Promise<string> {
  const nonce = randomBytes(16).toString("hex");
  const { process, up } = await startShell(connection, target, nonce);
  process.stdin.on("error", () => {});
  let said = "";
  let isUp: (() => void) | undefined;
  process.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
    if (said.includes(`@@${nonce} y`)) isUp?.();
  });
  await up((callback) => {
    isUp = callback;
  });
  process.stdin.write(`KB_PID=${pid}\n${END}`);
  await process.ended;
  const count = /ended (\d+)/.exec(said)?.[1];
  return count === undefined ? "its processes could not be ended" : `its ${count} processes on the host were ended`;
}
