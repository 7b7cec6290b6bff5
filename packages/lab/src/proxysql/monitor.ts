import { GaleraMonitor } from "./galera-monitor.ts";
import { LivenessMonitor } from "./liveness-monitor.ts";
import { purgeLogs } from "./monitor-log.ts";
import type { Runtime } from "./runtime.ts";

const PURGE_INTERVAL_MS = 60_000;

interface Round {
  /** Variable that says how long the round takes, or a fixed time in ms. */
  readonly interval: string | number;
  readonly work: () => void;
}

/** Watches the servers: each kind of check at its own interval, all of them anew when variables are loaded. */
export class Monitor {
  readonly #runtime: Runtime;
  readonly #galera: GaleraMonitor;
  readonly #liveness: LivenessMonitor;
  readonly #timers = new Map<Round, NodeJS.Timeout>();
  readonly #rounds: readonly Round[];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#galera = new GaleraMonitor(runtime);
    this.#liveness = new LivenessMonitor(runtime);
    this.#rounds = [
      { interval: "mysql-monitor_galera_healthcheck_interval", work: () => this.#galera.tick() },
      { interval: "mysql-monitor_ping_interval", work: () => this.#liveness.ping() },
      { interval: "mysql-monitor_connect_interval", work: () => this.#liveness.connect() },
      { interval: PURGE_INTERVAL_MS, work: () => purgeLogs(runtime) },
    ];
  }

  /** Starts all rounds. */
  start(): void {
    this.#runtime.variables.on("loaded", this.#startRounds);
    this.#startRounds();
  }

  /** Ends all rounds and closes the monitor's connections. */
  stop(): void {
    this.#runtime.variables.off("loaded", this.#startRounds);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#galera.close();
    this.#liveness.close();
  }

  readonly #startRounds = (): void => {
    for (const round of this.#rounds) this.#arm(round, 0);
  };

  #arm(round: Round, delayMs: number): void {
    clearTimeout(this.#timers.get(round));
    const run = (): void => {
      const { variables } = this.#runtime;
      this.#arm(round, typeof round.interval === "number" ? round.interval : variables.number(round.interval));
      if (variables.flag("mysql-monitor_enabled")) round.work();
    };
    this.#timers.set(round, setTimeout(run, delayMs));
  }
}
