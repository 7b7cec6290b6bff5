import { Capability, Status } from "./capabilities.ts";
import { Cursor, int, lengthEncoded, lengthEncodedBytes } from "./cursor.ts";
import { frame } from "./packets.ts";

/** An error as it travels in an ERR packet. */
export interface SqlError {
  readonly code: number;
  /** Five characters, e.g. `28000`. */
  readonly state: string;
  readonly message: string;
}

/** A cell of a text result set. */
export type Cell = string | Buffer | null;

/** What a statement answers. */
export type Reply =
  | { readonly kind: "ok"; readonly affectedRows: number; readonly info: string }
  | { readonly kind: "error"; readonly error: SqlError }
  | { readonly kind: "rows"; readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] };

/** An OK reply. */
export function ok(affectedRows = 0, info = ""): Reply {
  return { kind: "ok", affectedRows, info };
}

const VAR_STRING = 0xfd;
const UTF8_GENERAL_CI = 33;

/** Renders an OK packet; the info text has its length before it, as ProxySQL sends it. */
export function renderOk(affectedRows: number, info: string, status: number = Status.autocommit): Buffer {
  return Buffer.concat([
    int(0, 1),
    lengthEncoded(affectedRows),
    lengthEncoded(0),
    int(status, 2),
    int(0, 2),
    ...(info === "" ? [] : [lengthEncodedBytes(info)]),
  ]);
}

/** Renders an ERR packet. */
export function renderError(error: SqlError): Buffer {
  return Buffer.concat([int(0xff, 1), int(error.code, 2), Buffer.from(`#${error.state}${error.message}`)]);
}

/** Parses an ERR packet. */
export function parseError(payload: Buffer): SqlError {
  const cursor = new Cursor(payload.subarray(1));
  const code = cursor.int(2);
  const text = cursor.rest().toString();
  return text.startsWith("#")
    ? { code, state: text.slice(1, 6), message: text.slice(6) }
    : { code, state: "HY000", message: text };
}

/** Renders an EOF packet. */
export function renderEof(status: number = Status.autocommit): Buffer {
  return Buffer.concat([int(0xfe, 1), int(0, 2), int(status, 2)]);
}

function renderColumn(name: string): Buffer {
  return Buffer.concat([
    lengthEncodedBytes("def"),
    lengthEncodedBytes(""),
    lengthEncodedBytes(""),
    lengthEncodedBytes(""),
    lengthEncodedBytes(name),
    lengthEncodedBytes(""),
    int(0x0c, 1),
    int(UTF8_GENERAL_CI, 2),
    int(0xffff, 4),
    int(VAR_STRING, 1),
    int(0, 2),
    int(0, 3),
  ]);
}

function renderRow(cells: readonly Cell[]): Buffer {
  return Buffer.concat(cells.map((cell) => (cell === null ? int(0xfb, 1) : lengthEncodedBytes(cell))));
}

/** Renders a reply as framed packets, ready for the socket. */
export function renderReply(reply: Reply, capabilities: number, status: number, sequence = 1): Buffer {
  if (reply.kind === "error") return frame(renderError(reply.error), sequence);
  if (reply.kind === "ok") return frame(renderOk(reply.affectedRows, reply.info, status), sequence);
  const deprecateEof = (capabilities & Capability.deprecateEof) !== 0;
  const payloads = [
    lengthEncoded(reply.columns.length),
    ...reply.columns.map(renderColumn),
    ...(deprecateEof ? [] : [renderEof(status)]),
    ...reply.rows.map(renderRow),
    deprecateEof ? Buffer.concat([int(0xfe, 1), renderOk(0, "", status).subarray(1)]) : renderEof(status),
  ];
  return Buffer.concat(payloads.map((payload, index) => frame(payload, sequence + index)));
}
