import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { accessDenied } from "./admin-server.ts";
import { FrontendSession } from "./frontend-session.ts";
import { Listeners } from "./listeners.ts";
import type { Runtime } from "./runtime.ts";
import { FRONTEND_CAPABILITIES } from "./wire/capabilities.ts";
import { ClientConnection, type ClientHandler, type ServerProfile } from "./wire/client-connection.ts";
import type { HandshakeResponse } from "./wire/handshake.ts";
import { passwordSha1, verifyAnswer } from "./wire/native-password.ts";
import type { SqlError } from "./wire/replies.ts";

/** The server of the client ports (6033 by default). */
export class Frontend {
  readonly #runtime: Runtime;
  readonly #tls: SecureContext;
  readonly #listeners = new Listeners((socket) => this.#accept(socket));
  readonly #sessions = new Map<ClientConnection, FrontendSession>();

  constructor(runtime: Runtime, tls: SecureContext) {
    this.#runtime = runtime;
    this.#tls = tls;
  }

  /** Listens on the interfaces (`host:port` or a socket's path, separated by `;`). */
  async listen(interfaces: string): Promise<void> {
    await this.#listeners.listen(interfaces);
  }

  /** Refuses new clients; sessions go on. */
  stopListening(): void {
    this.#listeners.stopListening();
  }

  /** Refuses new clients and ends all sessions. */
  async close(): Promise<void> {
    await this.#listeners.close();
  }

  #accept(socket: Socket): void {
    const { variables, statistics } = this.#runtime;
    const profile: ServerProfile = {
      serverVersion: variables.get("mysql-server_version"),
      capabilities: FRONTEND_CAPABILITIES,
      tls: variables.flag("mysql-have_ssl") ? this.#tls : null,
      maxPacketBytes: variables.number("mysql-max_allowed_packet"),
    };
    statistics.add("Client_Connections_created");
    new ClientConnection(socket, statistics.nextSessionId(), profile, this.#handler);
  }

  readonly #handler: ClientHandler = {
    login: (connection, response) => this.#login(connection, response),
    command: (connection, payload) => this.#sessions.get(connection)?.push(payload),
    closed: (connection) => this.#closed(connection),
  };

  #login(connection: ClientConnection, response: HandshakeResponse): SqlError | null {
    const { users, statistics, variables } = this.#runtime;
    const user = users.frontend(response.user);
    const proof = user === undefined ? false : verifyAnswer(user.password, connection.scramble, response.authAnswer);
    if (user === undefined || proof === false) {
      statistics.add("Access_Denied_Wrong_Password");
      return accessDenied(response.user, connection.remoteAddress, response.authAnswer.length > 0);
    }
    const refusal = this.#overLimit(user.username, user.maxConnections);
    if (refusal !== null) return refusal;
    const backend = users.backend(user.username);
    const isSame = backend === undefined || backend.password === user.password || backend.password.startsWith("*");
    const identity = {
      user: user.username,
      passwordSha1: isSame ? proof : passwordSha1(backend.password),
      capabilities: connection.capabilities,
      collation: response.collation,
    };
    const schema = response.database || user.defaultSchema || variables.get("mysql-default_schema");
    const session = new FrontendSession(this.#runtime, connection, user, identity, schema);
    this.#sessions.set(connection, session);
    statistics.sessions.set(session.id, session);
    this.#countUser(user.username, 1);
    return null;
  }

  #overLimit(username: string, userLimit: number): SqlError | null {
    const { statistics, variables } = this.#runtime;
    if (statistics.sessions.size >= variables.number("mysql-max_connections")) {
      statistics.add("Access_Denied_Max_Connections");
      return { code: 1040, state: "08004", message: "Too many connections" };
    }
    const current = statistics.userConnections.get(username) ?? 0;
    if (current < userLimit) return null;
    statistics.add("Access_Denied_Max_User_Connections");
    const message = `User '${username}' has exceeded the 'max_user_connections' resource (current value: ${current})`;
    return { code: 1226, state: "42000", message };
  }

  #countUser(username: string, change: number): void {
    const { userConnections } = this.#runtime.statistics;
    userConnections.set(username, (userConnections.get(username) ?? 0) + change);
  }

  #closed(connection: ClientConnection): void {
    const session = this.#sessions.get(connection);
    if (session === undefined) return;
    this.#sessions.delete(connection);
    this.#runtime.statistics.sessions.delete(session.id);
    this.#countUser(session.user, -1);
    session.close();
  }
}
