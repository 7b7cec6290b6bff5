import { createServer } from "node:net";
import { Capability, Command, FRONTEND_CAPABILITIES, Status } from "../wire/capabilities.ts";
import { ClientConnection, type ClientHandler } from "../wire/client-connection.ts";
import { verifyAnswer } from "../wire/native-password.ts";
import { type Cell, ok, type Reply, renderReply } from "../wire/replies.ts";

/** The accounts that the servers of the recording knew. */
const ACCOUNTS: ReadonlyMap<string, string> = new Map([
  ["app", "apppw"],
  ["monitor", "monitor"],
]);

function answer(payload: Buffer): Reply {
  if (payload[0] !== Command.query) return ok();
  const text = payload.subarray(1).toString();
  if (!/^SELECT 1$/i.test(text)) return ok();
  const rows: Cell[][] = [["1"]];
  return { kind: "rows", columns: ["1"], rows };
}

const HANDLER: ClientHandler = {
  login: (connection, response) => {
    const password = ACCOUNTS.get(response.user);
    const isRight =
      password !== undefined && verifyAnswer(password, connection.scramble, response.authAnswer) !== false;
    if (isRight) return null;
    const using = response.authAnswer.length > 0 ? "YES" : "NO";
    const message = `Access denied for user '${response.user}'@'${connection.remoteAddress}' (using password: ${using})`;
    return { code: 1045, state: "28000", message };
  },
  command: (connection, payload) => {
    if (payload[0] === Command.quit) connection.end();
    else connection.write(renderReply(answer(payload), connection.capabilities, Status.autocommit));
  },
  closed: () => undefined,
};

/** Listens as a database server that knows two accounts and can answer SELECT 1. */
export function listenAsBackend(host: string, port: number): void {
  const profile = {
    serverVersion: "11.8.6-MariaDB",
    capabilities: FRONTEND_CAPABILITIES & ~Capability.compress,
    tls: null,
    maxPacketBytes: 1 << 24,
  };
  let connections = 0;
  createServer((socket) => {
    connections += 1;
    new ClientConnection(socket, connections, profile, HANDLER);
  }).listen(port, host);
}
