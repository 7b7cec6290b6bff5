import type { Server } from "./hostgroups.ts";
import { MonitorClient, type MonitorTarget } from "./monitor-client.ts";
import { logCheck } from "./monitor-log.ts";
import type { Runtime } from "./runtime.ts";
import { passwordSha1 } from "./wire/native-password.ts";

interface Watched {
  client: MonitorClient | null;
  failures: number;
  isBusy: boolean;
}

/** Pings all servers over connections that it keeps, and tries from time to time whether new ones can be made. */
export class LivenessMonitor {
  readonly #runtime: Runtime;
  readonly #watched = new Map<string, Watched>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Pings every server once. */
  ping(): void {
    const servers = this.#servers();
    for (const [address, watched] of this.#watched) {
      if (servers.has(address)) continue;
      watched.client?.destroy();
      this.#watched.delete(address);
    }
    for (const server of servers.values()) void this.#ping(server);
  }

  /** Connects to every server once, only to see whether that works. */
  connect(): void {
    for (const server of this.#servers().values()) void this.#connect(server);
  }

  close(): void {
    for (const watched of this.#watched.values()) watched.client?.destroy();
    this.#watched.clear();
  }

  #servers(): Map<string, Server> {
    return new Map(this.#runtime.hostgroups.list().map((server) => [server.address, server]));
  }

  #target(server: Server, timeoutVariable: string): MonitorTarget {
    const { variables } = this.#runtime;
    return {
      host: server.row.hostname,
      port: server.row.port,
      user: variables.get("mysql-monitor_username"),
      passwordSha1: passwordSha1(variables.get("mysql-monitor_password")),
      useSsl: server.row.useSsl === 1,
      timeoutMs: variables.number(timeoutVariable),
    };
  }

  async #connect(server: Server): Promise<void> {
    const startedAt = Date.now();
    const error = await failureOf(async () => {
      const client = await MonitorClient.connect(this.#target(server, "mysql-monitor_connect_timeout"));
      client.close();
    });
    if (this.#isClosed()) return;
    this.#runtime.statistics.add(`MySQL_Monitor_connect_check_${error === null ? "OK" : "ERR"}`);
    logCheck(this.#runtime, "connect", server.row, startedAt, error);
  }

  async #ping(server: Server): Promise<void> {
    const watched = this.#watched.get(server.address) ?? { client: null, failures: 0, isBusy: false };
    this.#watched.set(server.address, watched);
    if (watched.isBusy) return;
    watched.isBusy = true;
    const startedAt = Date.now();
    const target = this.#target(server, "mysql-monitor_ping_timeout");
    const error = await failureOf(async () => {
      if (watched.client === null || watched.client.isClosed) watched.client = await MonitorClient.connect(target);
      await watched.client.ping(target.timeoutMs);
    });
    watched.isBusy = false;
    if (this.#watched.get(server.address) !== watched || this.#isClosed()) {
      watched.client?.destroy();
      return;
    }
    if (error !== null) watched.client = null;
    this.#runtime.statistics.add(`MySQL_Monitor_ping_check_${error === null ? "OK" : "ERR"}`);
    logCheck(this.#runtime, "ping", server.row, startedAt, error);
    watched.failures = error === null ? 0 : watched.failures + 1;
    if (watched.failures >= this.#runtime.variables.number("mysql-monitor_ping_max_failures")) {
      this.#shunAll(server.address, watched.failures);
    }
  }

  /** Shuns a server in all its hostgroups and cuts whoever uses it. */
  #shunAll(address: string, failures: number): void {
    const { hostgroups, log } = this.#runtime;
    const servers = hostgroups.list().filter((server) => server.address === address && server.status !== "SHUNNED");
    if (servers.length > 0) {
      log("ERROR", `Server ${address} missed ${failures} heartbeats, shunning it and killing all the connections`);
    }
    for (const server of servers) {
      hostgroups.shun(server, Date.now());
      server.evict();
    }
  }

  #isClosed(): boolean {
    return !this.#runtime.databases.internal.isOpen;
  }
}

async function failureOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
