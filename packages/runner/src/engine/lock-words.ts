import { LockedError } from "../errors.ts";
import type { Target } from "../transport/transport.ts";

/** From what the prelude says where another run holds the lock: `AGE SILENT PID OWNER`, in seconds. */
export function lockedError(target: Target, text: string): LockedError {
  const [age = "?", silent = "?", pid = "0", ...owner] = text.split(" ");
  const stuck = pid === "0" ? "" : `; where it is stuck for good, end process ${pid} on that host`;
  return new LockedError("another run holds this host's lock", {
    host: target.name,
    detail: `held for ${age} s by ${owner.join(" ") || "an unknown owner"}; its last sign of life: ${silent} s ago`,
    hint: `wait for that run to end: the lock is freed when its shell is gone${stuck}`,
  });
}

/** From what it says where it broke a lock: `SILENT OWNER`. */
export function describeBroken(text: string): string {
  const [silent = "?", ...owner] = text.split(" ");
  return `broke the lock of ${owner.join(" ")}, which gave no sign of life for ${silent} s: its controller is gone`;
}
