import type { Runtime } from "./runtime.ts";

/** Watches the servers. */
export class Monitor {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  start(): void {
    this.#runtime.log("INFO", "monitor started");
  }

  stop(): void {
    this.#runtime.log("INFO", "monitor stopped");
  }
}
