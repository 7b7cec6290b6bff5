import { Secret } from "@keybuzz/runner";
import { expect, it } from "vitest";
import { nativePasswordHash } from "./native-password.ts";

it.each([
  // From MariaDB's manual of PASSWORD(), from ProxySQL's MYSQL_NATIVE_PASSWORD(), and from PASSWORD() of 11.8.6.
  ["notagoodpwd", "*3A70EE9FC6594F88CE9E959CD51C5A1C002DC937"],
  ["apppw", "*DB14CBAE92D7CB2F84BD3AA7222415B564A4054A"],
  ["p\"a's\\s#;$x y", "*DFF9D04397B84D025D46FB4F4C9E08F425CBAFE1"],
])("hashes %j as the server does", (password, hash) => {
  expect(nativePasswordHash(new Secret(password)).reveal()).toBe(hash);
});
