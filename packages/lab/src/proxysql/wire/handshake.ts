import { Capability } from "./capabilities.ts";
import { Cursor, int } from "./cursor.ts";

const PROTOCOL_VERSION = 10;
const NATIVE_PASSWORD = "mysql_native_password";
const UTF8_GENERAL_CI = 33;

/** A server's first packet. */
export interface Greeting {
  readonly serverVersion: string;
  readonly connectionId: number;
  readonly scramble: Buffer;
  readonly capabilities: number;
  readonly authPlugin: string;
}

/** A client's answer to the greeting. */
export interface HandshakeResponse {
  readonly capabilities: number;
  readonly collation: number;
  readonly user: string;
  readonly authAnswer: Buffer;
  readonly database: string;
  readonly authPlugin: string;
}

/** Renders the greeting of a server that authenticates by mysql_native_password. */
export function renderGreeting(greeting: Greeting): Buffer {
  return Buffer.concat([
    int(PROTOCOL_VERSION, 1),
    Buffer.from(`${greeting.serverVersion}\0`),
    int(greeting.connectionId, 4),
    greeting.scramble.subarray(0, 8),
    int(0, 1),
    int(greeting.capabilities & 0xffff, 2),
    int(UTF8_GENERAL_CI, 1),
    int(2, 2),
    int(greeting.capabilities >>> 16, 2),
    int(greeting.scramble.length + 1, 1),
    Buffer.alloc(10),
    greeting.scramble.subarray(8),
    int(0, 1),
    Buffer.from(`${greeting.authPlugin}\0`),
  ]);
}

/** Parses a server's greeting. */
export function parseGreeting(payload: Buffer): Greeting {
  const cursor = new Cursor(payload);
  cursor.int(1);
  const serverVersion = cursor.nullTerminated().toString();
  const connectionId = cursor.int(4);
  const scrambleStart = cursor.take(8);
  cursor.int(1);
  const low = cursor.int(2);
  cursor.int(3);
  const high = cursor.int(2);
  const scrambleLength = cursor.int(1);
  cursor.take(10);
  const scrambleEnd = cursor.take(Math.max(13, scrambleLength - 8)).subarray(0, 12);
  return {
    serverVersion,
    connectionId,
    scramble: Buffer.concat([scrambleStart, scrambleEnd]),
    capabilities: ((high << 16) | low) >>> 0,
    authPlugin: cursor.nullTerminated().toString(),
  };
}

/** Whether a client's first packet only asks for TLS; its real response follows over TLS. */
export function isSslRequest(payload: Buffer): boolean {
  return payload.length === 32 && (payload.readUInt32LE(0) & Capability.ssl) !== 0;
}

/** Parses a client's handshake response (protocol 4.1). */
export function parseHandshakeResponse(payload: Buffer): HandshakeResponse {
  const cursor = new Cursor(payload);
  const capabilities = cursor.int(4);
  cursor.int(4);
  const collation = cursor.int(1);
  cursor.take(23);
  const user = cursor.nullTerminated().toString();
  const authAnswer =
    capabilities & Capability.pluginAuthLengthEncoded
      ? (cursor.lengthEncodedBytes() ?? Buffer.alloc(0))
      : cursor.take(cursor.int(1));
  const database = capabilities & Capability.connectWithDb ? cursor.nullTerminated().toString() : "";
  const authPlugin = capabilities & Capability.pluginAuth ? cursor.nullTerminated().toString() : NATIVE_PASSWORD;
  return { capabilities, collation, user, authAnswer, database, authPlugin };
}

/** Parses COM_CHANGE_USER (without its command byte): the same facts in another layout. */
export function parseChangeUser(payload: Buffer, capabilities: number): HandshakeResponse {
  const cursor = new Cursor(payload);
  const user = cursor.nullTerminated().toString();
  const authAnswer = cursor.take(cursor.int(1));
  const database = cursor.nullTerminated().toString();
  const collation = cursor.remaining >= 2 ? cursor.int(2) : UTF8_GENERAL_CI;
  const authPlugin = cursor.remaining > 0 ? cursor.nullTerminated().toString() : NATIVE_PASSWORD;
  return { capabilities, collation, user, authAnswer, database, authPlugin };
}

/** Renders the request to go on over TLS: the head of a handshake response. */
export function renderSslRequest(capabilities: number, collation: number): Buffer {
  return Buffer.concat([int(capabilities, 4), int(MAX_ALLOWED, 4), int(collation & 0xff, 1), Buffer.alloc(23)]);
}

const MAX_ALLOWED = 0x40000000;

/** Renders a client's handshake response. */
export function renderHandshakeResponse(response: HandshakeResponse): Buffer {
  const database = response.capabilities & Capability.connectWithDb ? Buffer.from(`${response.database}\0`) : null;
  return Buffer.concat([
    renderSslRequest(response.capabilities, response.collation),
    Buffer.from(`${response.user}\0`),
    int(response.authAnswer.length, 1),
    response.authAnswer,
    ...(database === null ? [] : [database]),
    Buffer.from(`${response.authPlugin}\0`),
  ]);
}

/** Renders the request that a client authenticate anew, by mysql_native_password. */
export function renderAuthSwitch(scramble: Buffer): Buffer {
  return Buffer.concat([int(0xfe, 1), Buffer.from(`${NATIVE_PASSWORD}\0`), scramble, int(0, 1)]);
}

/** Parses a server's request to authenticate by another plugin. */
export function parseAuthSwitch(payload: Buffer): { plugin: string; scramble: Buffer } {
  const cursor = new Cursor(payload.subarray(1));
  const plugin = cursor.nullTerminated().toString();
  return { plugin, scramble: cursor.rest().subarray(0, 20) };
}
