import { expect, test } from "vitest";
import { hashRows, hashUsers, NO_CONTENT } from "./checksums.ts";
import type { User } from "./users.ts";

function user(username: string, password: string): User {
  return {
    username,
    password,
    side: "frontend",
    useSsl: 0,
    defaultHostgroup: 10,
    defaultSchema: "",
    schemaLocked: 0,
    transactionPersistent: 1,
    fastForward: 0,
    maxConnections: 10_000,
    attributes: "",
    comment: "",
  };
}

const APP = user("app", "*DB14CBAE92D7CB2F84BD3AA7222415B564A4054A");

test("recorded: one account, two peers", () => {
  expect(hashUsers([APP], [APP])).toBe("0x22A4CCE0ED4E15F1");
  const peers = [
    ["10.0.0.173", 6032, 0, "p1"],
    ["10.0.0.174", 6032, 0, ""],
  ];
  expect(hashRows(peers)).toBe("0xA42452955F8C0ADA");
});

test("the order of accounts does not matter", () => {
  const others = [user("a", "x"), user("b", "y"), APP];
  expect(hashUsers(others, [])).toBe(hashUsers(others.toReversed(), []));
  expect(hashUsers(others, [])).not.toBe(hashUsers([APP], []));
});

test("nothing has no checksum", () => {
  expect([hashRows([]), hashUsers([], [])]).toEqual([NO_CONTENT, NO_CONTENT]);
});
