/**
 * A client that runs where the test cannot: inside a network namespace. Takes one JSON request a line on stdin,
 * answers each by one line on stdout, in order.
 */
import { createInterface } from "node:readline";
import type { PeerRequest } from "./peer-protocol.ts";
import { listenAsBackend } from "./tiny-backend.ts";
import { WireClient } from "./wire-client.ts";

const clients = new Map<string, WireClient>();

function clientOf(name: string): WireClient {
  const client = clients.get(name);
  if (client === undefined) throw new Error(`no connection named ${name}`);
  return client;
}

async function serve(request: PeerRequest): Promise<unknown> {
  switch (request.op) {
    case "listen":
      for (const host of request.hosts) listenAsBackend(host, 3306);
      return {};
    case "login": {
      clients.get(request.name)?.close();
      const client = await WireClient.login(request, request);
      if (!(client instanceof WireClient)) return client;
      clients.set(request.name, client);
      const { serverVersion, authPlugin, capabilities } = client.greeting;
      return { greeting: { serverVersion, authPlugin, capabilities } };
    }
    case "close":
      clientOf(request.name).close();
      return {};
    case "query":
      return clientOf(request.name).query(request.sql, request.timeoutMs);
    case "raw": {
      const reply = await clientOf(request.name).raw(Buffer.from(request.hex, "hex"), request.timeoutMs);
      return { hex: reply?.toString("hex") ?? null };
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await serve(JSON.parse(line) as PeerRequest);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
