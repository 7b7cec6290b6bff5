import { command } from "@keybuzz/modules";
import { sh, type Task } from "@keybuzz/runner";
import type { Runtime } from "../state.ts";
import { askServer, DRAINED, drain, isPrimary } from "../synced.ts";

/** The node out of rotation, and its clients gone; nothing where it does not serve. */
export function drained(runtime: Runtime): Task {
  const desynced = sh`[ "$(${askServer(runtime, "SELECT @@global.wsrep_desync + 0")} 2>/dev/null)" = 1 ]`;
  return command(
    {
      run: drain(runtime),
      unless: sh`! { ${isPrimary(runtime)}; } || { [ -e ${DRAINED} ] && ${desynced}; }`,
      timeoutMs: 120_000,
    },
    { name: "out of rotation" },
  );
}
