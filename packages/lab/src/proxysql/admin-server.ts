import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { type AdminContext, execute, type Role } from "./admin-session.ts";
import type { ConfigFile } from "./config-file.ts";
import { Listeners } from "./listeners.ts";
import type { Outcome, Process } from "./operator-commands.ts";
import type { Runtime } from "./runtime.ts";
import { ADMIN_CAPABILITIES, Command, Status } from "./wire/capabilities.ts";
import { ClientConnection, type ClientHandler, type ServerProfile } from "./wire/client-connection.ts";
import type { HandshakeResponse } from "./wire/handshake.ts";
import { verifyAnswer } from "./wire/native-password.ts";
import { frame } from "./wire/packets.ts";
import { ok, renderEof, renderReply, type SqlError } from "./wire/replies.ts";

/** Accounts that may only be used from the host itself: the ones in everybody's manual. */
const LOCAL_ONLY = new Set(["admin", "stats"]);
const LOCAL_ADDRESSES = new Set(["127.0.0.1", "::1", ""]);
/** SQLite's strings know no backslash escapes; clients that heed the flag quote accordingly. */
const STATUS = Status.autocommit | Status.noBackslashEscapes;
const MAX_PACKET_BYTES = 64 * 1024 * 1024;

/** What the admin port serves. */
export interface AdminServerOptions {
  readonly runtime: Runtime;
  readonly process: Process;
  readonly tls: SecureContext;
  readonly readConfig: () => ConfigFile;
}

function passwordOf(credentials: string, user: string): string | null {
  for (const pair of credentials.split(";")) {
    const colon = pair.indexOf(":");
    if (colon !== -1 && pair.slice(0, colon) === user) return pair.slice(colon + 1);
  }
  return null;
}

/** ERR for a login with a wrong name or password. */
export function accessDenied(user: string, address: string, hasPassword: boolean): SqlError {
  const using = hasPassword ? "YES" : "NO";
  const message = `ProxySQL Error: Access denied for user '${user}'@'${address}' (using password: ${using})`;
  return { code: 1045, state: "28000", message };
}

function statisticsText(runtime: Runtime): string {
  const { statistics } = runtime;
  const count = (name: "Questions" | "Slow_queries"): number => statistics.counters.get(name) ?? 0;
  return [
    `Uptime: ${statistics.uptimeSeconds()}`,
    ` Threads: ${statistics.sessions.size} `,
    ` Questions: ${count("Questions")} `,
    ` Slow queries: ${count("Slow_queries")}`,
  ].join("");
}

/** The server of the admin port (6032 by default). */
export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #listeners = new Listeners((socket) => this.#accept(socket));
  readonly #contexts = new Map<ClientConnection, AdminContext>();
  #nextId = 0;

  constructor(options: AdminServerOptions) {
    this.#options = options;
  }

  /** Listens on the interfaces (`host:port` or a socket's path, separated by `;`). */
  async listen(interfaces: string): Promise<void> {
    await this.#listeners.listen(interfaces);
  }

  /** Stops listening and drops all connections. */
  async close(): Promise<void> {
    await this.#listeners.close();
  }

  #accept(socket: Socket): void {
    const { runtime, tls } = this.#options;
    const profile: ServerProfile = {
      serverVersion: runtime.variables.get("mysql-server_version"),
      capabilities: ADMIN_CAPABILITIES,
      tls: runtime.variables.flag("mysql-have_ssl") ? tls : null,
      maxPacketBytes: MAX_PACKET_BYTES,
    };
    this.#nextId += 1;
    new ClientConnection(socket, this.#nextId, profile, this.#handler);
  }

  readonly #handler: ClientHandler = {
    login: (connection, response) => this.#login(connection, response),
    command: (connection, payload) => this.#command(connection, payload),
    closed: (connection) => this.#contexts.delete(connection),
  };

  #login(connection: ClientConnection, response: HandshakeResponse): SqlError | null {
    const { variables } = this.#options.runtime;
    const { user } = response;
    const address = connection.remoteAddress;
    const adminPassword = passwordOf(variables.get("admin-admin_credentials"), user);
    const password = adminPassword ?? passwordOf(variables.get("admin-stats_credentials"), user);
    const isRight = password !== null && verifyAnswer(password, connection.scramble, response.authAnswer) !== false;
    if (!isRight) return accessDenied(user, address, response.authAnswer.length > 0);
    if (LOCAL_ONLY.has(user) && !LOCAL_ADDRESSES.has(address)) {
      return { code: 1040, state: "42000", message: `User '${user}' can only connect locally` };
    }
    const role: Role = adminPassword === null ? "stats" : "admin";
    this.#contexts.set(connection, { ...this.#options, role, user, clientAddress: address || "127.0.0.1" });
    return null;
  }

  #command(connection: ClientConnection, payload: Buffer): void {
    const context = this.#contexts.get(connection);
    if (context === undefined) return;
    switch (payload[0]) {
      case Command.query:
        this.#answer(connection, execute(context, payload.subarray(1).toString()));
        break;
      case Command.quit:
        connection.end();
        break;
      case Command.ping:
      case Command.initDb:
        this.#answer(connection, ok());
        break;
      case Command.statistics:
        connection.write(frame(Buffer.from(statisticsText(context.runtime)), 1));
        break;
      case Command.setOption:
        connection.write(frame(renderEof(STATUS), 1));
        break;
      case Command.changeUser:
        break;
      default:
        this.#refuseCommand(connection, payload[0] ?? 0);
    }
  }

  #answer(connection: ClientConnection, outcome: Outcome): void {
    if (outcome.kind === "silence") return;
    if (outcome.kind === "drop") connection.destroy();
    else connection.write(renderReply(outcome, connection.capabilities, STATUS));
  }

  #refuseCommand(connection: ClientConnection, command: number): void {
    if (command === Command.resetConnection) {
      const message = "Received unsupported 'COM_RESET_CONNECTION' for session type 'PROXYSQL_SESSION_ADMIN'";
      const error = { code: 1047, state: "28000", message };
      connection.write(renderReply({ kind: "error", error }, connection.capabilities, STATUS, 2));
      return;
    }
    const error = { code: 1045, state: "28000", message: "Command not supported" };
    connection.write(renderReply({ kind: "error", error }, connection.capabilities, STATUS));
  }
}
