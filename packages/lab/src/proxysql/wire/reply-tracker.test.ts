import { expect, test } from "vitest";
import { Capability, Command, Status } from "./capabilities.ts";
import { lengthEncodedBytes } from "./cursor.ts";
import { frame, MAX_PAYLOAD, PacketReader } from "./packets.ts";
import { type Reply, renderError, renderOk, renderReply } from "./replies.ts";
import { ReplyTracker } from "./reply-tracker.ts";

const ROWS: Reply = {
  kind: "rows",
  columns: ["a", "b"],
  rows: [
    ["1", null],
    ["x".repeat(300), ""],
  ],
};

/** Feeds a reply in chunks of every size; the tracker must be done exactly at its end. */
function follow(bytes: Buffer, command: number, capabilities: number, chunkBytes: number): ReplyTracker {
  const tracker = new ReplyTracker(command, capabilities);
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    expect(tracker.isDone).toBe(false);
    tracker.push(bytes.subarray(offset, offset + chunkBytes));
  }
  return tracker;
}

for (const capabilities of [0, Capability.deprecateEof]) {
  test.each([1, 3, 7, 64, 100_000])(`a result set, capabilities ${capabilities}, in chunks of %i`, (chunkBytes) => {
    const bytes = renderReply(ROWS, capabilities, Status.inTransaction);
    const tracker = follow(bytes, Command.query, capabilities, chunkBytes);
    expect([tracker.isDone, tracker.rows, tracker.status]).toEqual([true, 2, Status.inTransaction]);
  });
}

test("several results in one reply", () => {
  const first = frame(renderOk(3, "", Status.moreResults), 1);
  const tracker = follow(Buffer.concat([first, frame(renderOk(4, ""), 2)]), Command.query, 0, 5);
  expect([tracker.isDone, tracker.affectedRows]).toEqual([true, 7]);
});

test("an error, with its text", () => {
  const error = { code: 1047, state: "08S01", message: "WSREP has not yet prepared node for application use" };
  expect(follow(frame(renderError(error), 1), Command.query, 0, 6).error).toEqual(error);
});

test("a prepared statement's definitions", () => {
  const ok = Buffer.from([0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0]);
  const definition = lengthEncodedBytes("def");
  const eof = Buffer.from([0xfe, 0, 0, 2, 0]);
  const packets = [ok, definition, definition, eof, definition, eof].map((payload, index) => frame(payload, index + 1));
  expect(follow(Buffer.concat(packets), Command.stmtPrepare, 0, 4).isDone).toBe(true);
});

test("a row that is continued in a second packet is one row, whatever the second begins with", () => {
  const row = lengthEncodedBytes(Buffer.alloc(MAX_PAYLOAD + 10, 0xfe));
  const head = renderReply({ kind: "rows", columns: ["a"], rows: [] }, 0, Status.autocommit);
  const eof = head.subarray(-9);
  const bytes = Buffer.concat([head.subarray(0, -9), frame(row, 4), eof]);
  const tracker = follow(bytes, Command.query, 0, 1 << 20);
  expect([tracker.isDone, tracker.rows]).toEqual([true, 1]);
  const payloads = new PacketReader().push(frame(row, 4));
  expect(payloads.map((packet) => packet.payload.equals(row))).toEqual([true]);
});
