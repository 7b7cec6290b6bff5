import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { REPLServer } from "node:repl";
import { mayHoldSecret } from "./scope.ts";

/** Where the console's history is: `$XDG_STATE_HOME/keybuzz/console`, for its owner alone. */
export function historyFile(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "keybuzz", "console");
}

/**
 * Keeps what is typed for the next time, but for lines that may hold a secret, or begin with a blank. A history that cannot
 * be kept is no reason not to start.
 */
export function keepHistory(server: REPLServer): void {
  const file = historyFile(process.env);
  try {
    mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
  } catch {
    return;
  }
  // The listener sees each change before it is written, and may leave lines out: that is what the event is for.
  server.on("history", (lines: string[]) => {
    const kept = lines.filter((line) => !mayHoldSecret(line));
    if (kept.length < lines.length) lines.splice(0, lines.length, ...kept);
  });
  server.setupHistory(file, () => {});
}
