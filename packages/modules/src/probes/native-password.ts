import { createHash } from "node:crypto";
import { Secret } from "@keybuzz/runner";

/**
 * The hash that `mysql_native_password` stores: `*` and the SHA-1 of the SHA-1, in upper-case hexadecimal. It has no
 * salt, so equal passwords have equal hashes, and ProxySQL takes it in place of the clear text.
 * @see https://mariadb.com/kb/en/authentication-plugin-mysql_native_password/
 */
export function nativePasswordHash(password: Secret): Secret {
  const once = createHash("sha1").update(password.reveal(), "utf8").digest();
  return new Secret(`*${createHash("sha1").update(once).digest("hex").toUpperCase()}`);
}
