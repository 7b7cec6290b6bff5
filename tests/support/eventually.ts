import { setTimeout as delay } from "node:timers/promises";

/**
 * Tries until it succeeds.
 * @throws Error with what was awaited and the last failure, after `timeoutMs` milliseconds
 */
export async function eventually<T>(what: string, timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (performance.now() > end) throw new Error(`no ${what} within ${timeoutMs} ms: ${String(cause)}`, { cause });
      await delay(300);
    }
  }
}
