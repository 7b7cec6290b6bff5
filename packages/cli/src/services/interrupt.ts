import { EXIT, type RunEvent } from "@keybuzz/runner";

/** How an operator stops a run. */
export interface Interrupt {
  /** Aborted by the first Ctrl-C (or SIGTERM, SIGHUP): hosts finish the action they are at and go no further. */
  readonly signal: AbortSignal;
  /** Told of every event, to know who is at work. */
  note(event: RunEvent): void;
  /** Stops listening. */
  close(): void;
}

/**
 * Listens for Ctrl-C: the first stops the run in good order, the second at once.
 * @param tell shows a sentence to the operator
 */
export function listenForInterrupt(tell: (text: string) => void): Interrupt {
  const controller = new AbortController();
  const atWork = new Set<string>();
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    const hosts = atWork.size === 1 ? "1 host" : `${atWork.size} hosts`;
    const doing = atWork.size === 0 ? "stopping" : `finishing the current action on ${hosts}`;
    tell(signal === "SIGINT" ? `${doing}; Ctrl-C again to leave at once` : `${signal}: ${doing}`);
    controller.abort();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, stop);
  return {
    signal: controller.signal,
    note(event) {
      if (event.type === "task-start") atWork.add(event.host);
      else if (event.type === "task-end") atWork.delete(event.result.host);
      else if (event.type === "host-failed" || event.type === "host-unreachable") atWork.delete(event.host);
    },
    close: () => {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}
