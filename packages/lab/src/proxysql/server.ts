import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AdminServer } from "./admin-server.ts";
import { secureContext } from "./certificate.ts";
import { Checksums } from "./checksums.ts";
import { type ConfigFile, readConfigFile } from "./config-file.ts";
import { diskPath, openDatabases } from "./databases.ts";
import { Frontend } from "./frontend.ts";
import { Hostgroups } from "./hostgroups.ts";
import { type Origin, startLayers } from "./layers.ts";
import type { Log } from "./log.ts";
import { Monitor } from "./monitor.ts";
import type { Process } from "./operator-commands.ts";
import { QueryRules } from "./query-rules.ts";
import type { Runtime } from "./runtime.ts";
import { Statistics } from "./statistics.ts";
import { Users } from "./users.ts";
import { Variables } from "./variables.ts";

/** What tells a reader of the log, the version or the datadir that this is not ProxySQL itself. */
export const STAND_IN_NOTICE = "stand-in of the KeyBuzz lab, not the real ProxySQL";
/** Name of the file in the datadir that says so. */
export const STAND_IN_FILE = "stand-in";

/** Where a server lives and how it starts. */
export interface ServerOptions {
  readonly datadir: string;
  readonly configPath: string;
  readonly isInitial: boolean;
  readonly isReload: boolean;
  readonly log: Log;
  /** Called when an operator has shut the server down. */
  readonly onShutdown: () => void;
  /** Called when an operator wants the server, which is closed now, to start again. */
  readonly onRestart: () => void;
}

function readConfig(path: string): ConfigFile {
  return existsSync(path) ? readConfigFile(path) : {};
}

function createRuntime(options: ServerOptions): Runtime {
  const disk = diskPath(options.datadir);
  if (options.isInitial && existsSync(disk)) renameSync(disk, `${disk}.bak`);
  const hasDisk = existsSync(disk);
  const runtime: Runtime = {
    datadir: options.datadir,
    configPath: options.configPath,
    databases: openDatabases(options.datadir),
    variables: new Variables(),
    hostgroups: new Hostgroups(),
    users: new Users(),
    rules: new QueryRules(),
    checksums: new Checksums(),
    statistics: new Statistics(),
    copies: new Map(),
    configuredServers: [],
    log: options.log,
  };
  const origin: Origin = hasDisk ? (options.isReload ? "disk and config" : "disk") : "config";
  startLayers(runtime, origin, readConfig(options.configPath));
  return runtime;
}

/** A running server: its ports, its monitor, and what operators do to its life. */
export class Server implements Process {
  readonly #options: ServerOptions;
  readonly #runtime: Runtime;
  readonly #admin: AdminServer;
  readonly #frontend: Frontend;
  readonly #monitor: Monitor;
  listening: Process["listening"] = "stopped";

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.#runtime = createRuntime(options);
    const tls = secureContext(options.datadir);
    this.#frontend = new Frontend(this.#runtime, tls);
    this.#monitor = new Monitor(this.#runtime);
    this.#admin = new AdminServer({
      runtime: this.#runtime,
      process: this,
      tls,
      readConfig: () => readConfig(options.configPath),
    });
  }

  /** Starts a server on a datadir; resolves when its ports accept connections. */
  static async start(options: ServerOptions): Promise<Server> {
    writeFileSync(join(options.datadir, STAND_IN_FILE), `${STAND_IN_NOTICE}\n`);
    const server = new Server(options);
    const { variables, log } = server.#runtime;
    log("INFO", `ProxySQL version ${variables.get("admin-version")}: ${STAND_IN_NOTICE}`);
    await server.#admin.listen(variables.get("admin-mysql_ifaces"));
    await server.#openFrontend();
    server.#monitor.start();
    return server;
  }

  pause(): void {
    this.#frontend.stopListening();
    this.listening = "paused";
  }

  resume(): void {
    void this.#openFrontend();
  }

  stop(): void {
    void this.#frontend.close();
    this.listening = "stopped";
  }

  start(): void {
    void this.#openFrontend();
  }

  shutdown(): void {
    void this.close().then(this.#options.onShutdown);
  }

  restart(): void {
    void this.close().then(this.#options.onRestart);
  }

  /** Closes ports, connections and databases. */
  async close(): Promise<void> {
    this.#monitor.stop();
    await Promise.all([this.#admin.close(), this.#frontend.close()]);
    this.#runtime.databases.close();
    this.#runtime.log("INFO", "Shutdown complete");
  }

  async #openFrontend(): Promise<void> {
    const interfaces = this.#runtime.variables.get("mysql-interfaces") || DEFAULT_INTERFACES;
    this.listening = "open";
    try {
      await this.#frontend.listen(interfaces);
    } catch (error) {
      this.#runtime.log("ERROR", `cannot listen on ${interfaces}: ${String(error)}`);
    }
  }
}

const DEFAULT_INTERFACES = "0.0.0.0:6033";
