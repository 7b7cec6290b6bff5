import { checkGalera, type GaleraCheck } from "./galera-check.ts";
import { type GaleraGroup, type Health, judge, type Node, placeNodes } from "./galera-placement.ts";
import type { ServerRow } from "./hostgroups.ts";
import { recordPlacement } from "./layers.ts";
import type { MonitorClient } from "./monitor-client.ts";
import { logGaleraCheck } from "./monitor-log.ts";
import type { Runtime } from "./runtime.ts";
import { passwordSha1 } from "./wire/native-password.ts";

interface Watched {
  client: MonitorClient | null;
  health: Health;
  /** Checks in a row that got no answer. */
  timeouts: number;
  isBusy: boolean;
}

function groupOf(row: Readonly<Record<string, unknown>>): GaleraGroup {
  const number = (column: string): number => Number(row[column]);
  return {
    writer: number("writer_hostgroup"),
    backup: number("backup_writer_hostgroup"),
    reader: number("reader_hostgroup"),
    offline: number("offline_hostgroup"),
    maxWriters: number("max_writers"),
    writerIsAlsoReader: number("writer_is_also_reader"),
    maxTransactionsBehind: number("max_transactions_behind"),
  };
}

function addressOf(row: Pick<ServerRow, "hostname" | "port">): string {
  return `${row.hostname}:${row.port}`;
}

function scopeOf(group: GaleraGroup): ReadonlySet<number> {
  return new Set([group.writer, group.backup, group.reader, group.offline]);
}

/** Checks the nodes of all Galera clusters and keeps their hostgroups in accordance with what it finds. */
export class GaleraMonitor {
  readonly #runtime: Runtime;
  readonly #watched = new Map<string, Watched>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    runtime.hostgroups.on("loaded", () => this.#forget());
  }

  /** Starts one check of every node; a node whose last check is still under way is left out. */
  tick(): void {
    for (const group of this.#groups()) {
      for (const rows of this.#nodesOf(group).values()) void this.#check(group, rows);
    }
  }

  /** Closes the monitor's connections. */
  close(): void {
    for (const watched of this.#watched.values()) watched.client?.destroy();
    this.#watched.clear();
  }

  #groups(): GaleraGroup[] {
    const rows = this.#runtime.copies.get("mysql_galera_hostgroups") ?? [];
    return rows.filter((row) => row["active"] === 1).map(groupOf);
  }

  /** Configured rows of a group's hostgroups, by node. */
  #nodesOf(group: GaleraGroup): Map<string, ServerRow[]> {
    const scope = scopeOf(group);
    const rows = this.#runtime.configuredServers.filter((row) => scope.has(row.hostgroup));
    return Map.groupBy(rows, addressOf);
  }

  /** Servers were loaded: every node counts again as what it was loaded as, until it is checked. */
  #forget(): void {
    for (const watched of this.#watched.values()) watched.health = { kind: "unknown" };
  }

  #watch(address: string): Watched {
    const watched = this.#watched.get(address) ?? {
      client: null,
      health: { kind: "unknown" },
      timeouts: 0,
      isBusy: false,
    };
    this.#watched.set(address, watched);
    return watched;
  }

  async #check(group: GaleraGroup, rows: readonly ServerRow[]): Promise<void> {
    const [row] = rows;
    if (row === undefined) return;
    const watched = this.#watch(addressOf(row));
    if (watched.isBusy) return;
    watched.isBusy = true;
    const { variables } = this.#runtime;
    const startedAt = Date.now();
    const { check, client } = await checkGalera(watched.client, {
      host: row.hostname,
      port: row.port,
      user: variables.get("mysql-monitor_username"),
      passwordSha1: passwordSha1(variables.get("mysql-monitor_password")),
      useSsl: row.useSsl === 1,
      timeoutMs: variables.number("mysql-monitor_galera_healthcheck_timeout"),
    });
    watched.isBusy = false;
    watched.client = client;
    if (this.#watched.get(addressOf(row)) !== watched) {
      client?.destroy();
      return;
    }
    logGaleraCheck(this.#runtime, row, startedAt, check);
    this.#conclude(group, row, watched, check, startedAt);
  }

  #conclude(group: GaleraGroup, row: ServerRow, watched: Watched, check: GaleraCheck, startedAt: number): void {
    const health = this.#healthAfter(group, row, watched, check, startedAt);
    if (health === null) return;
    if (health.kind === "offline" && watched.health.kind !== "offline") {
      this.#runtime.log("WARNING", `Galera: setting host ${addressOf(row)} offline because: ${health.reason}`);
    }
    watched.health = health;
    this.#place(group);
  }

  /** What a check says about a node; null if it is not enough to say anything. */
  #healthAfter(
    group: GaleraGroup,
    row: ServerRow,
    watched: Watched,
    check: GaleraCheck,
    startedAt: number,
  ): Health | null {
    const { variables, log } = this.#runtime;
    watched.timeouts = check.kind === "timeout" ? watched.timeouts + 1 : 0;
    switch (check.kind) {
      case "answer":
        return judge(check.answer, group);
      case "not serving":
        return { kind: "offline", reason: check.error, isSoft: true };
      case "failure":
        return { kind: "offline", reason: check.error, isSoft: false };
      case "timeout": {
        const limit = variables.number("mysql-monitor_galera_healthcheck_max_timeout_count");
        log(
          "ERROR",
          `Timeout on Galera health check for ${addressOf(row)} after ${Date.now() - startedAt}ms. ` +
            "If the server is overload, increase mysql-monitor_galera_healthcheck_timeout.",
        );
        if (watched.timeouts < limit) return null;
        log("ERROR", `Server ${addressOf(row)} missed ${watched.timeouts} Galera checks. Assuming offline`);
        return { kind: "offline", reason: check.error, isSoft: false };
      }
    }
  }

  #place(group: GaleraGroup): void {
    const { hostgroups, log } = this.#runtime;
    const scope = scopeOf(group);
    const nodes: Node[] = [...this.#nodesOf(group)].map(([address, configured]) => ({
      configured,
      health: this.#watch(address).health,
    }));
    const wanted = placeNodes(group, nodes);
    const describe = (row: ServerRow): string => JSON.stringify(row);
    const present = hostgroups
      .list()
      .filter((server) => scope.has(server.row.hostgroup))
      .map((server) => describe(server.row))
      .sort();
    const next = wanted.map(describe).sort();
    if (present.join("\n") === next.join("\n")) return;
    const wasWriter = new Set(present);
    for (const row of wanted) {
      const isNewWriter = row.hostgroup === group.writer && row.status === "ONLINE" && !wasWriter.has(describe(row));
      if (isNewWriter) log("INFO", `Galera: setting host ${addressOf(row)} as writer`);
    }
    hostgroups.replace(wanted, scope);
    recordPlacement(this.#runtime);
  }
}
