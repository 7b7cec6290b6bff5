import { expect, it } from "vitest";
import { hintFor } from "./host-faults.ts";

it.each([
  ["cannot create ./.keybuzz.1: Read-only file system", /remount,rw/],
  ["cat: write error: No space left on device", /df -i/],
  ["mv: cannot move './a' to './b': Operation not permitted", /chattr/],
  ["E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (apt)", /another package manager/],
  ["/dev/fd/3: 2: jq: not found", /apt task/],
  ["sh: 1: cd: can't cd to /srv/x", /directory task/],
])("says what mends %j", (said, hint) => {
  expect(hintFor(said)).toMatch(hint);
});

it("says nothing where it knows nothing", () => {
  expect(hintFor("ERROR 1064 (42000) at line 1: You have an error in your SQL syntax")).toBeUndefined();
});
