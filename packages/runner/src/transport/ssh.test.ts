import { homedir, userInfo } from "node:os";
import { expect, it } from "vitest";
import { parseJump } from "./ssh.ts";
import { expandTokens } from "./ssh-tokens.ts";

it.each([
  ["jump", { host: "jump", port: undefined, user: undefined }],
  ["ops@jump:2022", { host: "jump", port: 2022, user: "ops" }],
  ["ops@corp@jump", { host: "jump", port: undefined, user: "ops@corp" }],
  ["[fe80::1]:22", { host: "fe80::1", port: 22, user: undefined }],
  ["ssh://ops@jump:2022", { host: "jump", port: 2022, user: "ops" }],
  [" jump ", { host: "jump", port: undefined, user: undefined }],
])("reads the jump host %j", (spec, read) => {
  expect(parseJump(spec, "db")).toEqual(read);
});

it.each(["", "a:b:c", "user@", "jump:"])("refuses the jump host %j", (spec) => {
  expect(() => parseJump(spec, "db")).toThrow(/is no host/);
});

it("puts values in the place of tokens, and leaves those alone that it does not know", () => {
  const tokens = { original: "db", host: "10.0.0.1", port: 2222, user: "root", hostKeyAlias: "alias" };
  const env = { KEYS: "/keys" };
  expect(expandTokens("~/%n/%h:%p/%r", tokens, env)).toBe(`${homedir()}/db/10.0.0.1:2222/root`);
  expect(expandTokens(`\${KEYS}/%u-%k`, tokens, env)).toBe(`/keys/${userInfo().username}-alias`);
  expect(expandTokens(`100%% \${NONE} %z a~b`, tokens, env)).toBe(`100% \${NONE} %z a~b`);
});
